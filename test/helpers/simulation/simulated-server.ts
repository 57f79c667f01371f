import { createChanceAt } from './distributions.js'
import type { Timeline } from './timeline.js'

/** What one end of a simulated connection sees of the other. */
export interface Wire {
  /** Sends one message to the client. */
  send (text: string): void
  /** Ends the connection. */
  close (code: number, reason?: string): void
}

/** One client, as the server sees it. */
export interface Visitor {
  received (text: string): void
  left (): void
}

/** How an attempt to connect is answered: with a protocol, or an HTTP status. */
export type Answer = { protocol: string } | { status: number, retryAfter?: string }

/**
 * A server with a time socket, as PROTOCOL.md has it. What it is may be changed at any time; who is
 * connected then notices what a real client would.
 */
export interface SimulatedServer {
  /** Names its process. */
  id: string
  clockSteps: number
  readonly intervalMs: number
  /** `other`: it speaks WebSocket, but not `time.v1`; `http`: something blocks WebSockets. */
  kind: 'time.v1' | 'other' | 'http'
  /** What a refused client is told instead; undefined: nobody is refused. */
  refusal: { status: number, retryAfter?: string } | undefined
  /** How likely a request finds the process busy, for up to 20 ms. */
  stallProbability: number
  /** Milliseconds since the Unix clockSteps, by its clock. */
  now (): number
  /** Sets its clock, and says so in the next messages. */
  step (ms: number): void
  answer (offered: readonly string[]): Answer
  /** Answers a plain `GET`: `reply` is called with the body when that is written. */
  tell (id: number, reply: (body: object) => void): void
  /** Somebody is connected. */
  welcome (wire: Wire): Visitor
  /** Sends a message to all. */
  broadcast (message: object): void
  /** How many probes it has answered. */
  readonly syncCount: number
  /** Ends all connections. */
  drop (code: number, reason?: string): void
}

export interface SimulatedServerOptions {
  timeline: Timeline
  seed: number
  intervalMs?: number
  stallProbability?: number
}

export const START_MS = 1_795_262_400_000

const STALL_MS = 20
const HOLD_MS = 0.03
/** By how much a tick is late, at most. */
const LATE_MS = 0.5

export function createSimulatedServer ({
  timeline, seed, intervalMs = 5000, stallProbability = 0.01
}: SimulatedServerOptions): SimulatedServer {
  const wires = new Set<Wire>()
  let aheadMs = START_MS
  let seq = 0

  function tick (): void {
    const at = Math.floor(server.now() / intervalMs) * intervalMs
    const message = { type: 'tick', seq: seq++, at, sent: shown(), interval: intervalMs }
    for (const wire of wires) {
      wire.send(JSON.stringify({ ...message, clockSteps: server.clockSteps }))
    }
    const dueMs = timeline.nowMs + intervalMs - (server.now() % intervalMs)
    timeline.at(dueMs + createChanceAt(seed, dueMs).uniform() * LATE_MS, tick)
  }

  /** When the process gets to what has come now. */
  function freeMs (): number {
    const { isHit, uniform } = createChanceAt(seed, timeline.nowMs)
    return timeline.nowMs + (isHit(server.stallProbability) ? uniform() * STALL_MS : 0)
  }

  /** With two decimals, as on the wire. */
  function shown (): number {
    return Math.round(server.now() * 100) / 100
  }

  function reply (wire: Wire, id: number): void {
    const at = shown()
    const text = JSON.stringify({ type: 'sync', id, at, hold: HOLD_MS, clockSteps: server.clockSteps })
    timeline.at(timeline.nowMs + HOLD_MS, () => wire.send(text))
    syncCount++
  }

  let syncCount = 0
  const server: SimulatedServer = {
    id: 'k3f9x2ab',
    clockSteps: 0,
    intervalMs,
    kind: 'time.v1',
    refusal: undefined,
    stallProbability,
    get syncCount () {
      return syncCount
    },
    now: () => timeline.nowMs + aheadMs,
    step (ms) {
      aheadMs += ms
      server.clockSteps++
    },
    answer (offered) {
      if (server.refusal !== undefined) return server.refusal
      if (server.kind === 'http') return { status: 426 }
      if (server.kind === 'other') return { protocol: '' }
      return { protocol: offered[0] ?? '' }
    },
    welcome (wire) {
      wires.add(wire)
      const { id, clockSteps } = server
      wire.send(JSON.stringify({ type: 'hello', server: id, interval: intervalMs, clockSteps }))
      return {
        received (text) {
          const { type, id } = JSON.parse(text)
          if (type !== 'sync') return
          timeline.at(freeMs(), () => { if (wires.has(wire)) reply(wire, id) })
        },
        left () {
          wires.delete(wire)
        }
      }
    },
    tell (id, reply) {
      timeline.at(freeMs(), () => {
        const { id: name, clockSteps } = server
        timeline.at(timeline.nowMs + HOLD_MS, () => reply({
          id, now: shown(), hold: HOLD_MS, interval: intervalMs, clockSteps, server: name
        }))
      })
    },
    broadcast (message) {
      for (const wire of wires) wire.send(JSON.stringify(message))
    },
    drop (code, reason) {
      for (const wire of wires) wire.close(code, reason)
      wires.clear()
    }
  }
  timeline.at(intervalMs - (START_MS % intervalMs), tick)
  return server
}
