import type { ResolvedOptions } from '../api/options.js'
import type { CloseInfo } from '../api/time-socket.js'
import { scopeOf } from './client.js'
import type { Client } from './client.js'
import { closeAndStopReading, closeWith, endingOf } from './client-connection.js'
import { CALLBACK_FAILED, TOO_MANY_MESSAGES } from './endings.js'
import { attempt, createFailureLog } from '../observability/failure-log.js'
import type { Log } from '../observability/log.js'
import type { Timers } from '../util/timers.js'

/** Calls the application's callbacks about single clients, each in its client's async context. */
export interface ClientCallbacks<Context> {
  /** Must be called when a client has been listed. */
  onConnect (client: Client<Context>): void
  /**
   * Must be called for each message. The message is kept while the client's `onConnect` is pending.
   */
  onMessage (client: Client<Context>, data: string | Buffer): void
  /** Must be called when a connection has ended. */
  onClosed (client: Client<Context>, info: CloseInfo): void
  /** Resolves when `onClose` has settled for all clients that have disconnected. */
  whenSettled (): Promise<void>
}

export interface ClientCallbacksOptions<Context> {
  options: Pick<ResolvedOptions<Context>, 'onConnect' | 'onMessage' | 'onClose'>
  timers: Timers
  log: Log
}

/** How many messages are kept for `onMessage` while `onConnect` is pending. */
const MAX_HELD_MESSAGES = 16

/**
 * Calls `onConnect`, then `onMessage` in order of arrival, then `onClose` once. `onMessage` and
 * `onClose` wait until an asynchronous `onConnect` has settled. A client whose `onConnect` or
 * `onMessage` fails is closed.
 */
export function createClientCallbacks<Context> (
  { options, timers, log }: ClientCallbacksOptions<Context>
): ClientCallbacks<Context> {
  const logs = {
    onConnect: createFailureLog(log, 'onConnect', timers),
    onMessage: createFailureLog(log, 'onMessage', timers),
    onClose: createFailureLog(log, 'onClose', timers)
  }
  /** The clients whose `onConnect` has not settled. */
  const pending = new Map<Client<Context>, Pending>()
  /**
   * Pending `onClose` calls, and the pending `onConnect` calls of clients that have disconnected.
   */
  const closing = new Set<Promise<unknown>>()

  function afterOnConnect (client: Client<Context>, worked: boolean): void {
    const { messages, closed } = pending.get(client) as Pending
    pending.delete(client)
    if (!worked) closeWith(client, CALLBACK_FAILED)
    else messages.every((message) => callOnMessage(client, message))
    if (closed !== undefined) callOnClose(client, closed)
  }

  /**
   * @returns false if the callback failed synchronously: the client's other messages are then
   * dropped.
   */
  function callOnMessage (client: Client<Context>, data: string | Buffer): boolean {
    if (endingOf(client) !== undefined) return false
    const call = () => scopeOf(client)?.runInAsyncScope(options.onMessage, undefined, client, data)
    const worked = attempt(logs.onMessage, call, { id: client.id })
    if (worked === false) closeWith(client, CALLBACK_FAILED)
    if (typeof worked === 'boolean') return worked
    worked.then((worked) => {
      if (!worked) closeWith(client, CALLBACK_FAILED)
    })
    return true
  }

  function callOnClose (client: Client<Context>, info: CloseInfo): void {
    const call = () => scopeOf(client)?.runInAsyncScope(options.onClose, undefined, client, info)
    const settled = attempt(logs.onClose, call, { id: client.id })
    if (typeof settled !== 'boolean') track(settled)
    scopeOf(client)?.emitDestroy()
  }

  function track (promise: Promise<unknown>): void {
    closing.add(promise)
    promise.then(() => closing.delete(promise))
  }

  return {
    onConnect (client) {
      const worked = attempt(logs.onConnect, () => options.onConnect(client), { id: client.id })
      if (worked === false) closeWith(client, CALLBACK_FAILED)
      if (typeof worked === 'boolean') return
      const settled = worked.then((worked) => afterOnConnect(client, worked))
      pending.set(client, { messages: [], closed: undefined, settled })
    },
    onMessage (client, data) {
      const held = pending.get(client)?.messages
      if (held === undefined) callOnMessage(client, data)
      else if (held.length < MAX_HELD_MESSAGES) held.push(data)
      else closeAndStopReading(client, TOO_MANY_MESSAGES)
    },
    onClosed (client, info) {
      const waiting = pending.get(client)
      if (waiting === undefined) return callOnClose(client, info)
      waiting.closed = info
      track(waiting.settled)
    },
    async whenSettled () {
      while (closing.size > 0) await Promise.all(closing)
    }
  }
}

interface Pending {
  readonly messages: (string | Buffer)[]
  closed: CloseInfo | undefined
  /** Resolves when the callbacks that waited have been called; never rejects. */
  readonly settled: Promise<void>
}
