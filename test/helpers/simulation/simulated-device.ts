import type { Environment, PlainAnswer, PlainRequest, Socket } from '../../../src/browser/environment.js'
import { createChance, createChanceAt } from './distributions.js'
import { createDriftingClock } from './drifting-clock.js'
import type { DriftingClockOptions } from './drifting-clock.js'
import { createNetwork } from './network.js'
import type { Network } from './network.js'
import type { Profile } from './profiles.js'
import type { SimulatedServer, Visitor } from './simulated-server.js'
import { START_MS } from './simulated-server.js'
import type { Timeline } from './timeline.js'

/** A browser, its clocks, and its way to a server. */
export interface SimulatedDevice {
  readonly environment: Environment
  /** Of WebSocket frames (RFC 6455 §5.2), both ways. */
  readonly traffic: Readonly<Traffic>
  /** How many sockets are alive, and the most there ever were at once; likewise timers. */
  readonly sockets: { readonly alive: number, readonly most: number }
  readonly timers: { readonly alive: number, readonly most: number }
  readonly page: EventTarget & { document: { hidden: boolean, baseURI: string } }
  /** The moments, on the timeline, at which it tried to connect. */
  readonly attemptsMs: readonly number[]
  /** Whether anything gets through to the server, or back. */
  isOnline: boolean
  /** Sleeps from now on for so long: its monotonic clock stands still, and its timers. */
  sleep (ms: number): void
  /** Sets its wall clock forward, or back. */
  step (ms: number): void
  /** Its way to the server is another one from now on. */
  moveTo (profile: Profile): void
}

interface Traffic {
  messages: number
  requests: number
  bytes: number
  /** Those of asking and answering alone. */
  syncBytes: number
}

export interface SimulatedDeviceOptions extends Omit<DriftingClockOptions, 'chance'> {
  timeline: Timeline
  seed: number
  profile: Profile
  server: SimulatedServer
  /** By how much its wall clock is wrong. */
  wallAheadMs?: number
  /** How likely a message finds the page busy, for up to 40 ms. */
  jankProbability?: number
}

const JANK_MS = 40
/** Of a frame: two bytes, and four of a mask from the client. All messages here are short. */
const HEADER_BYTES = 2
const MASK_BYTES = 4

export function createSimulatedDevice (options: SimulatedDeviceOptions): SimulatedDevice {
  const { timeline, seed, server, jankProbability = 0.04 } = options
  const chance = createChance(seed)
  const clock = createDriftingClock({ ...options, chance })
  let moveCount = 0
  const traffic: Traffic = { messages: 0, requests: 0, bytes: 0, syncBytes: 0 }
  const sockets = { alive: 0, most: 0 }
  const timers = { alive: 0, most: 0 }
  const attemptsMs: number[] = []
  const page = Object.assign(new EventTarget(), {
    document: { hidden: false, baseURI: 'https://example.org/auction/' }
  })
  let network = createNetwork(options.profile, seed)
  let wallAheadMs = options.wallAheadMs ?? 0
  let sleptMs = 0
  let awakeMs = 0
  /** When the page has dealt with what came before. */
  let freeMs = 0

  function monotonic (): number {
    return clock.read(timeline.nowMs - sleptMs)
  }

  /** Calls back at a moment, or as soon as it is awake. @returns a function that calls it off. */
  function atAwake (dueMs: number, callback: () => void): () => void {
    let cancel = timeline.at(dueMs, function fire () {
      if (timeline.nowMs < awakeMs) cancel = timeline.at(awakeMs, fire)
      else callback()
    })
    return () => cancel()
  }

  function count (text: string, maskBytes: number): void {
    const bytes = Buffer.byteLength(text) + HEADER_BYTES + maskBytes
    traffic.messages++
    traffic.bytes += bytes
    if (text.startsWith('{"type":"sync"')) traffic.syncBytes += bytes
  }

  /** Calls back when the page gets to it: not while it sleeps, nor while it is busy. */
  function deliver (dueMs: number, callback: () => void): void {
    const { isHit, uniform } = createChanceAt(seed, dueMs)
    const jankMs = isHit(jankProbability) ? uniform() * JANK_MS : 0
    freeMs = Math.max(freeMs, dueMs + jankMs)
    atAwake(freeMs, callback)
  }

  class SimulatedSocket implements Socket {
    readonly url: string
    onopen: unknown
    onmessage: unknown
    onclose: unknown
    onerror: unknown
    readyState = 0
    bufferedAmount = 0
    protocol = ''
    binaryType = 'blob'
    readonly #network: Network = network
    #visitor: Visitor | undefined

    constructor (url: string, offered: string[]) {
      this.url = url
      attemptsMs.push(timeline.nowMs)
      sockets.most = Math.max(sockets.most, ++sockets.alive)
      if (device.isOnline) timeline.at(this.#network.up(timeline.nowMs), () => this.#knock(offered))
    }

    send (data: string | ArrayBuffer): void {
      if (this.readyState !== 1 || typeof data !== 'string') return
      count(data, MASK_BYTES)
      if (!device.isOnline) return
      timeline.at(this.#network.up(timeline.nowMs), () => this.#visitor?.received(data))
    }

    close (code = 1005): void {
      if (this.readyState >= 2) return
      this.readyState = 2
      this.#visitor?.left()
      deliver(timeline.nowMs, () => this.#end(code, ''))
    }

    #knock (offered: string[]): void {
      const answer = server.answer(offered)
      if ('status' in answer) return this.#come(() => this.#end(1006, ''))
      this.#come(() => this.#open(answer.protocol))
      this.#visitor = server.welcome({
        send: (text) => this.#come(() => this.#take(text)),
        close: (code, reason = '') => this.#come(() => this.#end(code, reason))
      })
    }

    #come (callback: () => void): void {
      if (device.isOnline) deliver(this.#network.down(timeline.nowMs), callback)
    }

    #open (protocol: string): void {
      if (this.readyState !== 0) return
      this.readyState = 1
      this.protocol = protocol
      call(this.onopen, { type: 'open' })
    }

    #take (data: string): void {
      if (this.readyState !== 1) return
      count(data, 0)
      call(this.onmessage, { type: 'message', data })
    }

    #end (code: number, reason: string): void {
      if (this.readyState === 3) return
      this.readyState = 3
      this.#visitor?.left()
      sockets.alive--
      if (code === 1006) call(this.onerror, { type: 'error' })
      call(this.onclose, { type: 'close', code, reason })
    }
  }

  function setTimer (callback: () => void, ms: number): () => void {
    timers.most = Math.max(timers.most, ++timers.alive)
    const cancel = atAwake(timeline.nowMs + Math.max(0, clock.lasts(ms)), () => {
      end()
      callback()
    })
    let isDone = false

    function end (): void {
      if (!isDone) timers.alive--
      isDone = true
      cancel()
    }

    return end
  }

  /** Requests go one after the other over a connection of their own, which is there already. */
  async function get (_url: string, { headers }: PlainRequest): Promise<PlainAnswer> {
    const id = Number(/;id=(\d+)$/.exec(headers?.['accept'] ?? '')?.[1])
    if (!device.isOnline) throw new TypeError('there is no network')
    const path = network
    traffic.requests++
    const { refusal } = server
    const body = await new Promise<object>((resolve) => {
      const back = (body: object) =>
        deliver(path.down(timeline.nowMs), () => resolve(body))
      timeline.at(path.up(timeline.nowMs), () => refusal ? back({}) : server.tell(id, back))
    })
    return {
      status: refusal?.status ?? 200,
      headers: { get: (name) => name === 'retry-after' ? refusal?.retryAfter ?? null : null },
      text: async () => JSON.stringify(body)
    }
  }

  const device: SimulatedDevice = {
    environment: {
      WebSocket: SimulatedSocket,
      fetch: get,
      monotonic,
      wall: () => Math.floor(START_MS + timeline.nowMs + wallAheadMs),
      setTimeout: setTimer,
      clearTimeout: (end) => (end as (() => void) | undefined)?.(),
      random: chance.uniform,
      page
    },
    traffic,
    sockets,
    timers,
    page,
    attemptsMs,
    isOnline: true,
    sleep (ms) {
      awakeMs = timeline.nowMs + ms
      timeline.at(awakeMs, () => { sleptMs += ms })
    },
    step (ms) {
      wallAheadMs += ms
    },
    moveTo (profile) {
      network = createNetwork(profile, seed + 3 * ++moveCount)
    }
  }
  return device
}

function call (listener: unknown, event: object): void {
  if (typeof listener === 'function') listener(event)
}
