import { AsyncResource } from 'node:async_hooks'
import type { WebSocket } from 'ws'
import type { ResolvedOptions } from '../api/options.js'
import type { CloseInfo } from '../api/time-socket.js'
import { Client } from './client.js'
import type { ClientHost, ClientInfo } from './client.js'
import { createClientCallbacks } from './client-callbacks.js'
import type { ClientCallbacks } from './client-callbacks.js'
import { ageMs, wireFormatOf, writeFrame } from './client-connection.js'
import type { ClientConnection } from './client-connection.js'
import { listen } from './client-events.js'
import type { Clients } from './client-registry.js'
import { printable } from './endings.js'
import type { Heartbeat } from './heartbeat.js'
import { createInboundMessages } from './inbound-messages.js'
import type { Log } from '../observability/log.js'
import type { Telemetry } from '../observability/telemetry.js'
import { encodeFrame } from '../protocol/frame.js'
import { helloText } from '../protocol/time-v1-text.js'
import type { WallClock } from '../time/wall-clock.js'
import { doNothing } from '../util/values.js'
import type { Timers } from '../util/timers.js'

export interface ConnectionsOptions<Context> {
  clients: Clients<Context>
  /** Sends to many clients, and is notified of each new client. */
  delivery: ConnectionDelivery<Context>
  clock: WallClock
  timers: Timers
  options: ResolvedOptions<Context>
  /** Undefined if clients are not pinged. */
  heartbeat: Heartbeat | undefined
  telemetry: Telemetry<Context>
  log: Log
}

/** The part of the delivery that a connection needs. */
export interface ConnectionDelivery<Context> {
  /** Sends the client its part of all deliveries under way. */
  sendPendingDeliveries (client: ClientConnection): void
  /**
   * Connects a client. Then sends it the current time if `immediate` is set, and decides which of
   * the pending broadcasts it gets.
   *
   * @param connect lists the client, and calls `onConnect`.
   */
  welcome (client: Client<Context>, connect: () => void): void
}

/** What is known of a client before the upgrade. */
export type Admitted<Context> = Omit<ClientInfo<Context>, 'connectedAt' | 'scope'>

/** The connections of one registration. */
export interface Connections<Context> {
  /**
   * Takes over a WebSocket that has just been opened. Must be called in the same turn of the event
   * loop: later, messages would be lost.
   *
   * @param socket the TCP socket; anything else, such as the stream of `injectWS`, is ignored.
   */
  accept (ws: WebSocket, socket: unknown, admitted: Admitted<Context>): Client<Context>
  /** Resolves when `onClose` has settled for all clients that have disconnected. */
  whenCallbacksSettled (): Promise<void>
}

/**
 * The life of a connection: `hello`, `onConnect`, the welcome of `delivery`, messages, and in the
 * end a log line and `onClose`.
 */
export function createConnections<Context> (
  parts: ConnectionsOptions<Context>
): Connections<Context> {
  const { clients, delivery, clock, options, telemetry, log } = parts
  const needsScope = options.onMessage !== doNothing || options.onClose !== doNothing
  const callbacks = createClientCallbacks(parts)
  const host = createClientHost(parts, callbacks)

  /**
   * Captures the async context of the upgrade, for the client's callbacks. The resource is
   * destroyed after `onClose`: with `requireManualDestroy`, Node.js need not do so when it is
   * garbage-collected, which would cost more.
   */
  function createScope (): AsyncResource | undefined {
    if (!needsScope) return undefined
    return new AsyncResource('TimeSocketClient', { requireManualDestroy: true })
  }

  /** Called before any other module knows of the client, so that `hello` is the first message. */
  function sendHello (client: Client<Context>): void {
    clock.readClocks()
    const { clockSteps } = clock
    writeFrame(client, encodeFrame(helloText({ interval: options.interval, clockSteps })))
  }

  return {
    accept (ws, socket, admitted) {
      const info = { ...admitted, connectedAt: clock.now(), scope: createScope() }
      const client = new Client(ws, socket, info, host)
      listen(ws, client)
      if (wireFormatOf(client) === 'time') sendHello(client)
      delivery.welcome(client, () => {
        clients.add(client)
        telemetry.connected(client)
        const { id, ip, port } = client
        log.info({ id, ip, port, clients: clients.byId.size }, 'client connected')
        callbacks.onConnect(client)
      })
      return client
    },
    whenCallbacksSettled: callbacks.whenSettled
  }
}

/** What the clients share. */
function createClientHost<Context> (
  parts: ConnectionsOptions<Context>, callbacks: ClientCallbacks<Context>
): ClientHost<Context> {
  const { clients, delivery, clock, timers, options, heartbeat, telemetry, log } = parts
  const { counters } = telemetry
  const { maxBufferedBytes, maxMessageBytes, messageRate } = options

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

  return {
    counters,
    maxBufferedBytes,
    maxMessageBytes,
    now: clock.now,
    monotonic: timers.monotonic,
    sendPendingDeliveries: delivery.sendPendingDeliveries,
    wasStalled: (client, sinceMs) => heartbeat?.wasStalled(client, sinceMs) === true,
    ...createInboundMessages<Context>({
      clock, timers, messageRate, counters, onMessage: callbacks.onMessage
    }),
    onClosed (client, info) {
      clients.remove(client)
      telemetry.closed(client, info)
      logClosed(client, info)
      callbacks.onClosed(client, info)
    }
  }
}
