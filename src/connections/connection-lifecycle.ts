import type { FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import { addressOf } from '../http/address.js'
import { attempt } from '../observability/attempt.js'
import { Client } from './client.js'
import type { ClientHost } from './client-host.js'
import type { Clients } from './client-registry.js'
import { CALLBACK_FAILED, TOO_MANY_MESSAGES } from './endings.js'
import type { FanOut } from '../delivery/fan-out.js'
import { createCallbackFault } from '../observability/failure-log.js'
import { encodeFrame } from '../protocol/frame.js'
import type { Heartbeat } from './heartbeat.js'
import { createInbox } from './inbound-messages.js'
import type { Log } from '../observability/log.js'
import type { Observer } from '../observability/observer.js'
import type { ResolvedOptions } from '../api/options.js'
import { createRateLimit } from './rate-limit.js'
import type { ServerClock } from '../time/server-time.js'
import { helloText } from '../protocol/time-v1-text.js'
import type { Timers } from '../util/timers.js'
import type { CloseInfo } from '../api/time-socket.js'

export interface ConnectionsOptions<Context> {
  clients: Clients<Context>
  fanOut: FanOut<Context>
  clock: ServerClock
  timers: Timers
  options: ResolvedOptions<Context>
  /** Undefined where clients are not pinged. */
  heartbeat: Heartbeat<Context> | undefined
  observer: Observer<Context>
  /** Sends a new client the current time. */
  sendCurrent: (client: Client<Context>) => void
  /** Called before a client is listed; what it returns sends it what is scheduled. */
  welcome: () => (client: Client<Context>) => void
  log: Log
}

/** Takes over a WebSocket that has just been opened: at once, so that no message is missed. */
export type Accept<Context> = (
  ws: WebSocket, request: FastifyRequest, admitted: Admitted<Context>
) => Client<Context>

/** What was found out about a client before the upgrade. */
export interface Admitted<Context> {
  readonly context: Context
  /** When its permission ends, on the monotonic clock; undefined: never. */
  readonly expiresMs: number | undefined
}

/** The connections of one registration. */
export interface Connections<Context> {
  readonly accept: Accept<Context>
  /** Resolves when `onClose` has settled for all clients that have gone. */
  whenTold (): Promise<void>
}

/** How many messages are kept for `onMessage` while `onConnect` is pending. */
const MAX_HELD_MESSAGES = 16

/**
 * The life of a connection: `onConnect`, then `onMessage` in order of arrival, then
 * `onClose`, once. Until an asynchronous `onConnect` has settled, the others wait.
 */
export function createConnections<Context> (
  parts: ConnectionsOptions<Context>
): Connections<Context> {
  const { clients, fanOut, clock, timers, options, heartbeat, observer, log } = parts
  const faults = {
    onConnect: createCallbackFault(log, 'onConnect', timers),
    onMessage: createCallbackFault(log, 'onMessage', timers),
    onClose: createCallbackFault(log, 'onClose', timers)
  }
  /** Of clients that have gone: `onClose`, and the `onConnect` that it waits for. */
  const closing = new Set<Promise<unknown>>()
  /** What waits for `onConnect` to settle. */
  const pending = new Map<Client<Context>, Pending>()

  const limit = createRateLimit(options.messageRate)

  const host: ClientHost<Context> = {
    counters: observer.counters,
    maxBufferedBytes: options.maxBufferedBytes,
    maxMessageBytes: options.maxMessageBytes,
    sending: fanOut.serve,
    wasHeldUp: (client, sinceMs) =>
      heartbeat !== undefined && heartbeat.wasHeldUp(client, sinceMs),
    received: createInbox({
      clock,
      timers,
      fanOut,
      limit,
      counters: observer.counters,
      onMessage (client, data) {
        const held = pending.get(client)?.messages
        if (held === undefined) tellMessage(client, data)
        else if (held.length < MAX_HELD_MESSAGES) held.push(data)
        else client.fail(TOO_MANY_MESSAGES)
      }
    }),
    receivedControl (client) {
      if (!limit.takes(client, timers.monotonic())) client.fail(TOO_MANY_MESSAGES)
    },
    closed (client, info) {
      clients.remove(client)
      observer.closed(client, info)
      log.info({
        id: client.id,
        code: info.code,
        reason: info.reason,
        cause: info.cause,
        duration: Math.round(client.ageMs),
        clients: clients.byId.size
      }, 'client closed')
      const waiting = pending.get(client)
      if (waiting === undefined) return tellClose(client, info)
      waiting.closed = info
      track(waiting.settled)
    }
  }

  /** Before anybody else knows of the client: nothing may come before it. */
  function greet (client: Client<Context>): void {
    clock.look()
    const { clockSteps } = clock
    client.write(encodeFrame(helloText({ interval: options.interval, clockSteps })))
  }

  function tellConnect (client: Client<Context>): void {
    const worked = attempt(faults.onConnect, () => options.onConnect(client), { id: client.id })
    if (worked === false) client.end(CALLBACK_FAILED)
    if (typeof worked === 'boolean') return
    const settled = worked.then((worked) => settle(client, worked))
    pending.set(client, { messages: [], closed: undefined, settled })
  }

  function settle (client: Client<Context>, connected: boolean): void {
    const { messages, closed } = pending.get(client) as Pending
    pending.delete(client)
    if (!connected) client.end(CALLBACK_FAILED)
    else messages.every((message) => tellMessage(client, message))
    if (closed !== undefined) tellClose(client, closed)
  }

  /** @returns false if it failed at once: the client is then told nothing more. */
  function tellMessage (client: Client<Context>, data: string | Buffer): boolean {
    if (client.isEnding) return false
    const tell = () => options.onMessage(client, data)
    const worked = attempt(faults.onMessage, tell, { id: client.id })
    if (worked === false) client.end(CALLBACK_FAILED)
    if (typeof worked === 'boolean') return worked
    worked.then((hasWorked) => {
      if (!hasWorked) client.end(CALLBACK_FAILED)
    })
    return true
  }

  function tellClose (client: Client<Context>, info: CloseInfo): void {
    const told = attempt(faults.onClose, () => options.onClose(client, info), { id: client.id })
    if (typeof told !== 'boolean') track(told)
  }

  function track (telling: Promise<unknown>): void {
    closing.add(telling)
    telling.then(() => closing.delete(telling))
  }

  async function whenTold (): Promise<void> {
    while (closing.size > 0) await Promise.all(closing)
  }

  return {
    accept (ws, request, admitted) {
      const { ip, port } = addressOf(request)
      const info = { ip, port, connectedAt: clock.now(), ...admitted }
      const client = new Client(ws, request.raw.socket, info, host)
      if (client.form === 'time') greet(client)
      const sendScheduled = parts.welcome()
      clients.add(client)
      observer.connected(client)
      log.info({ id: client.id, ip, port, clients: clients.byId.size }, 'client connected')
      tellConnect(client)
      if (options.immediate) parts.sendCurrent(client)
      sendScheduled(client)
      return client
    },
    whenTold
  }
}

interface Pending {
  readonly messages: (string | Buffer)[]
  closed: CloseInfo | undefined
  /** When the rest has been told; never rejects. */
  readonly settled: Promise<void>
}
