import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { AnyTimeSocketOptions } from './api/options.js'
import { timeSocketPlugin } from './plugin.js'

export * from './api/errors.js'
export type { Backplane, Deliver } from './api/backplane.js'
export type { Json, Message, Sendable, Tick, TimeAnswer } from './api/content.js'
export type {
  Clock, ExpiresAt, Format, FormatName, TimeSocketHook, TimeSocketRouteOptions
} from './api/option-values.js'
export type { TimeSocketOptions } from './api/options.js'
export type { BackplaneStats, CloseCause, RefusalCause, Stats } from './api/stats.js'
export type {
  BroadcastOptions, CloseInfo, Scalar, TickDelivery, TimeSocket, TimeSocketClient,
  TimeSocketContext, TimeSocketNamespaces, Where
} from './api/time-socket.js'
export type { WebsocketOptions, WebsocketServerOptions } from './api/websocket-options.js'

/** The plugin. Options with a context of your own can be registered without a cast. */
export type TimeSocketPlugin = FastifyPluginAsync<AnyTimeSocketOptions>

/**
 * Fastify plugin: a WebSocket route that sends the server's time to every client at regular
 * intervals, and `app.timeSocket`, which lists the clients and sends them messages.
 *
 * @throws {InvalidOptionError | NamespaceTakenError} at registration.
 */
export const fastifyTimeSocket = fp(timeSocketPlugin, {
  // Fastify 5.8.0 reports its version as 5.7.4.
  fastify: '>=5.7.4 <6',
  name: 'fastify-time-socket'
}) as TimeSocketPlugin

export default fastifyTimeSocket
