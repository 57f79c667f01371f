import { AsyncResource } from 'node:async_hooks'
import type { WebSocket } from 'ws'
import type { ResolvedOptions } from '../api/options.js'
import type { CloseInfo } from '../api/time-socket.js'
import { Client, scopeOf } from './client.js'
import type { ClientHost, ClientInfo } from './client.js'
import {
  ageMs, closeAndStopReading, closeWith, endingOf, wireFormatOf, writeFrame
} from './client-connection.js'
import type { ClientConnection } from './client-connection.js'
import { listen } from './client-events.js'
import type { Clients } from './client-registry.js'
import { CALLBACK_FAILED, printable, TOO_MANY_MESSAGES } from './endings.js'
import type { Heartbeat } from './heartbeat.js'
import { createInboundMessages } from './inbound-messages.js'
import { attempt, createCallbackFault } from '../observability/failure-log.js'
import type { Log } from '../observability/log.js'
import type { Telemetry } from '../observability/telemetry.js'
import { encodeFrame } from '../protocol/frame.js'
import { helloText } from '../protocol/time-v1-text.js'
import type { WallClock } from '../time/wall-clock.js'
import { doNothing } from '../util/values.js'
import type { Timers } from '../util/timers.js'

export interface ConnectionsOptions<Context> {
  clients: Clients<Context>
  /** What is sent to many clients; told of each new one. */
  delivery: ConnectionDelivery<Context>
  clock: WallClock
  timers: Timers
  options: ResolvedOptions<Context>
  /** Undefined if clients are not pinged. */
  heartbeat: Heartbeat | undefined
  telemetry: Telemetry<Context>
  log: Log
}

/** What a connection needs of whatever sends to many clients. */
export interface ConnectionDelivery<Context> {
  /** Sends the client its part of all deliveries under way. */
  sendPendingDeliveries (client: ClientConnection): void
  /**
   * To be called before a client is listed.
   *
   * @returns a function to be called after `onConnect`: sends the client the current time, and the
   * scheduled broadcasts that were pending before it was listed.
   */
  prepareWelcome (): (client: Client<Context>) => void
}

/** What is known of a client before the upgrade. */
export type Admitted<Context> = Omit<ClientInfo<Context>, 'connectedAt' | 'scope'>

/** The connections of one registration. */
export interface Connections<Context> {
  /**
   * Takes over a WebSocket that has just been opened. Call it in the same turn: later, messages
   * would be lost.
   *
   * @param socket the TCP socket; anything else, such as the stream of `injectWS`, is ignored.
   */
  accept (ws: WebSocket, socket: unknown, admitted: Admitted<Context>): Client<Context>
  /** Resolves when `onClose` has settled for all clients that have gone. */
  whenCallbacksSettled (): Promise<void>
}

/** How many messages are kept for `onMessage` while `onConnect` is pending. */
const MAX_HELD_MESSAGES = 16

/**
 * The life of a connection: `onConnect`, then `onMessage` in order of arrival, then `onClose`,
 * once. The others wait until an asynchronous `onConnect` has settled. All of them run in the
 * client's async context.
 */
export function createConnections<Context> (
  parts: ConnectionsOptions<Context>
): Connections<Context> {
  const { clients, delivery, clock, timers, options, heartbeat, telemetry, log } = parts
  const faults = {
    onConnect: createCallbackFault(log, 'onConnect', timers),
    onMessage: createCallbackFault(log, 'onMessage', timers),
    onClose: createCallbackFault(log, 'onClose', timers)
  }
  const needsScope = options.onMessage !== doNothing || options.onClose !== doNothing
  /** `onClose` of clients that have gone, and the `onConnect` that it waits for. */
  const closing = new Set<Promise<unknown>>()
  /** The clients whose `onConnect` has not settled. */
  const pending = new Map<Client<Context>, Pending>()

  const host: ClientHost<Context> = {
    counters: telemetry.counters,
    maxBufferedBytes: options.maxBufferedBytes,
    maxMessageBytes: options.maxMessageBytes,
    now: clock.now,
    monotonic: timers.monotonic,
    sendPendingDeliveries: delivery.sendPendingDeliveries,
    wasStalled: (client, sinceMs) => heartbeat?.wasStalled(client, sinceMs) === true,
    ...createInboundMessages<Context>({
      clock,
      timers,
      messageRate: options.messageRate,
      counters: telemetry.counters,
      onMessage (client, data) {
        const held = pending.get(client)?.messages
        if (held === undefined) callOnMessage(client, data)
        else if (held.length < MAX_HELD_MESSAGES) held.push(data)
        else closeAndStopReading(client, TOO_MANY_MESSAGES)
      }
    }),
    onClosed (client, info) {
      clients.remove(client)
      telemetry.closed(client, info)
      logClosed(client, info)
      const waiting = pending.get(client)
      if (waiting === undefined) return callOnClose(client, info)
      waiting.closed = info
      track(waiting.settled)
    }
  }

  function logClosed (client: Client<Context>, { code, reason, cause }: CloseInfo): void {
    log.info({
      id: client.id,
      code,
      reason: printable(reason),
      cause,
      duration: Math.round(ageMs(client)),
      clients: clients.byId.size
    }, 'client closed')
  }

  /** Before any other part knows of the client: `hello` is the first message. */
  function sendHello (client: Client<Context>): void {
    clock.readClocks()
    const { clockSteps } = clock
    writeFrame(client, encodeFrame(helloText({ interval: options.interval, clockSteps })))
  }

  function callOnConnect (client: Client<Context>): void {
    const worked = attempt(faults.onConnect, () => options.onConnect(client), { id: client.id })
    if (worked === false) closeWith(client, CALLBACK_FAILED)
    if (typeof worked === 'boolean') return
    const settled = worked.then((worked) => afterOnConnect(client, worked))
    pending.set(client, { messages: [], closed: undefined, settled })
  }

  function afterOnConnect (client: Client<Context>, worked: boolean): void {
    const { messages, closed } = pending.get(client) as Pending
    pending.delete(client)
    if (!worked) closeWith(client, CALLBACK_FAILED)
    else messages.every((message) => callOnMessage(client, message))
    if (closed !== undefined) callOnClose(client, closed)
  }

  /** @returns false if it failed at once: then the client's other messages are dropped. */
  function callOnMessage (client: Client<Context>, data: string | Buffer): boolean {
    if (endingOf(client) !== undefined) return false
    const call = () => scopeOf(client)?.runInAsyncScope(options.onMessage, undefined, client, data)
    const worked = attempt(faults.onMessage, call, { id: client.id })
    if (worked === false) closeWith(client, CALLBACK_FAILED)
    if (typeof worked === 'boolean') return worked
    worked.then((worked) => {
      if (!worked) closeWith(client, CALLBACK_FAILED)
    })
    return true
  }

  function callOnClose (client: Client<Context>, info: CloseInfo): void {
    const call = () => scopeOf(client)?.runInAsyncScope(options.onClose, undefined, client, info)
    const settled = attempt(faults.onClose, call, { id: client.id })
    if (typeof settled !== 'boolean') track(settled)
  }

  function track (promise: Promise<unknown>): void {
    closing.add(promise)
    promise.then(() => closing.delete(promise))
  }

  return {
    accept (ws, socket, admitted) {
      // The upgrade runs in the client's async context. The option makes it cost nothing to drop.
      const scope = needsScope
        ? new AsyncResource('TimeSocketClient', { requireManualDestroy: true })
        : undefined
      const client = new Client(ws, socket, { ...admitted, connectedAt: clock.now(), scope }, host)
      listen(ws, client)
      if (wireFormatOf(client) === 'time') sendHello(client)
      const welcome = delivery.prepareWelcome()
      clients.add(client)
      telemetry.connected(client)
      const { id, ip, port } = client
      log.info({ id, ip, port, clients: clients.byId.size }, 'client connected')
      callOnConnect(client)
      welcome(client)
      return client
    },
    async whenCallbacksSettled () {
      while (closing.size > 0) await Promise.all(closing)
    }
  }
}

interface Pending {
  readonly messages: (string | Buffer)[]
  closed: CloseInfo | undefined
  /** Resolves when the other callbacks have been called; never rejects. */
  readonly settled: Promise<void>
}
