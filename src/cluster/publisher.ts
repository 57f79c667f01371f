import type { Backplane } from '../api/backplane.js'
import type { BackplaneStats } from '../api/stats.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneHealth } from './backplane-health.js'
import { encodePack, encodeSender, prepareMessage } from './binary-format.js'
import type { PackedMessage } from './binary-format.js'
import type { Identity, Message } from './envelope.js'
import { encodeJson } from './json-format.js'
import { NEWEST_FORMAT } from './format-choice.js'
import type { FormatChoice } from './format-choice.js'

/** Publishes this server's messages to the other servers. */
export interface Publisher {
  /** Publishes a message, whether or not the backplane works. Never throws. */
  send (message: Message): void
  /** Publishes an alive message, which carries the number of the latest message. */
  sendAlive (): void
  /** Milliseconds for which the latest alive message has been unconfirmed; 0 if none is. */
  readonly waitedMs: number
  /** Resolves when everything sent so far has been published or dropped. */
  whenIdle (): Promise<unknown>
}

export interface PublisherOptions {
  backplane: Backplane
  identity: Identity
  format: FormatChoice
  counters: BackplaneStats
  health: BackplaneHealth
  timers: Timers
  /** The server's time. */
  now: () => number
}

/** Messages that travel together. */
interface Pack {
  /** The number of the first message. */
  readonly seq: number
  readonly sent: number
  readonly messages: PackedMessage[]
  bytes: number
}

/** The largest pack. A larger message is sent alone. */
const MAX_PACK_BYTES = 65_536
/**
 * While this many payloads are unconfirmed, further messages are collected, so that a distant or
 * busy engine gets fewer and larger payloads.
 */
const MAX_UNCONFIRMED = 16

/**
 * Packs the messages that are sent in one turn of the event loop into one payload of format 2. If
 * nothing is unconfirmed, a payload does not wait for the end of the turn: it contains the messages
 * of one callback. While a peer reads only format 1, each message is sent alone, in that format.
 */
export function createPublisher (
  { backplane, identity, format, counters, health, timers, now }: PublisherOptions
): Publisher {
  const sender = encodeSender(identity)
  const pending = new Set<Promise<void>>()
  let seq = 0
  let pack: Pack | undefined
  let cancelFlush: (() => void) | undefined
  /** When the alive message that is still unconfirmed was sent. */
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

  function addToPack (message: PackedMessage): void {
    if (pack !== undefined && pack.bytes + message.length > MAX_PACK_BYTES) flush()
    if (pack === undefined) {
      pack = { seq, sent: now(), messages: [], bytes: 0 }
      cancelFlush = pending.size === 0 ? afterCallback(endTurn) : timers.soon(endTurn)
    }
    pack.messages.push(message)
    pack.bytes += message.length
  }

  return {
    send (message) {
      counters.published++
      seq++
      if (!format.mustUseOldFormat()) return addToPack(prepareMessage(message))
      flush()
      track(publish(encodeJson({ ...message, ...identity, seq, sent: now() })))
    },
    sendAlive () {
      // While one alive message is unconfirmed, a second one would add nothing.
      if (aliveMs !== undefined) return
      aliveMs = timers.monotonic()
      // An alive message must not overtake the message whose number it carries.
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

/**
 * Calls back once, when the callback that Node.js is running has returned: before any further input
 * is read.
 *
 * @returns a function that cancels the call.
 */
function afterCallback (callback: () => void): () => void {
  let isCancelled = false
  queueMicrotask(() => { if (!isCancelled) callback() })
  return () => { isCancelled = true }
}
