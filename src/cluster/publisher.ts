import type { Backplane } from '../api/backplane.js'
import type { BackplaneStats } from '../api/stats.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneHealth } from './backplane-health.js'
import { encodeMessage, encodePack, encodeSender } from './binary-format.js'
import type { Identity, Message } from './envelope.js'
import { encodeJson } from './json-format.js'
import { NEWEST_FORMAT } from './wire-format.js'
import type { WireFormat } from './wire-format.js'

/** Publishes what this server tells the others. */
export interface Publisher {
  /** Publishes a message, whether or not the backplane works. Never throws. */
  send (message: Message): void
  /** Publishes a sign of life, which names the latest message. */
  sendAlive (): void
  /** For how many milliseconds the latest sign of life has waited for the backplane; 0: not. */
  readonly waitedMs: number
  /** Resolves when everything sent so far has been published or given up. */
  whenIdle (): Promise<unknown>
}

export interface PublisherOptions {
  backplane: Backplane
  identity: Identity
  format: WireFormat
  counters: BackplaneStats
  health: BackplaneHealth
  timers: Timers
  /** The server's time. */
  now: () => number
}

/** Messages that travel together. */
interface Pack {
  /** Of the first message. */
  readonly seq: number
  readonly sent: number
  readonly messages: Uint8Array[]
  bytes: number
}

/** A larger message travels alone. */
const MAX_PACK_BYTES = 65_536
/**
 * While so many payloads are unconfirmed, further messages wait for one another, so that a distant
 * or busy engine gets fewer and larger payloads.
 */
const MAX_UNCONFIRMED = 16

/**
 * Packs the messages that are sent in one turn of the event loop into one payload of format 2.
 * While a peer reads format 1 only, each message travels alone, in that format.
 */
export function createPublisher (
  { backplane, identity, format, counters, health, timers, now }: PublisherOptions
): Publisher {
  const sender = encodeSender(identity)
  const pending = new Set<Promise<void>>()
  let seq = 0
  let pack: Pack | undefined
  let cancelFlush: (() => void) | undefined
  /** When the sign of life was sent that is on its way. */
  let aliveMs: number | undefined

  async function publish (payload: Uint8Array): Promise<void> {
    try {
      await backplane.publish(payload)
      health.worked('publishing')
    } catch (err) {
      health.failed('publishing', err)
    }
  }

  async function track (publishing: Promise<void>): Promise<void> {
    pending.add(publishing)
    await publishing
    pending.delete(publishing)
    flushUnlessBusy()
  }

  function flush (): void {
    cancelFlush?.()
    cancelFlush = undefined
    if (pack === undefined) return
    const payload = encodePack(sender, pack.seq, pack.sent, pack.messages)
    pack = undefined
    track(publish(payload))
  }

  function flushUnlessBusy (): void {
    const isTurnOver = cancelFlush === undefined
    if (isTurnOver && pending.size < MAX_UNCONFIRMED) flush()
  }

  function endTurn (): void {
    cancelFlush = undefined
    flushUnlessBusy()
  }

  function addToPack (bytes: Uint8Array): void {
    if (pack !== undefined && pack.bytes + bytes.length > MAX_PACK_BYTES) flush()
    if (pack === undefined) {
      pack = { seq, sent: now(), messages: [], bytes: 0 }
      cancelFlush = timers.soon(endTurn)
    }
    pack.messages.push(bytes)
    pack.bytes += bytes.length
  }

  return {
    send (message) {
      counters.published++
      seq++
      if (!format.isOld()) return addToPack(encodeMessage(message))
      flush()
      track(publish(encodeJson({ ...message, ...identity, seq, sent: now() })))
    },
    sendAlive () {
      // While the backplane is away, a second one would say nothing new.
      if (aliveMs !== undefined) return
      aliveMs = timers.monotonic()
      // A sign of life must not overtake the message that it names.
      flush()
      const alive = encodeJson({ type: 'alive', ...identity, seq, reads: NEWEST_FORMAT })
      track(publish(alive).then(() => { aliveMs = undefined }))
    },
    get waitedMs () {
      return aliveMs === undefined ? 0 : timers.monotonic() - aliveMs
    },
    whenIdle () {
      flush()
      return Promise.all(pending)
    }
  }
}
