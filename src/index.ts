import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { TimeSocketOptions } from './options.js'
import { timeSocketPlugin } from './plugin.js'

export * from './errors.js'
export type { Backplane, Deliver } from './backplane.js'
export type { TimeAnswer } from './tell-time.js'
export type { Format, FormatName } from './format.js'
export type { Json, Message, Sendable } from './message.js'
export type { ExpiresAt, TimeSocketOptions, TimeSocketRouteOptions } from './options.js'
export type { Clock } from './server-clock.js'
export type { BackplaneStats, CloseCause, RefusalCause, Stats } from './stats.js'
export type { Tick } from './ticker.js'
export type {
  BroadcastOptions, CloseInfo, Scalar, TickDelivery, TimeSocket, TimeSocketClient,
  TimeSocketContext, TimeSocketNamespaces
} from './types.js'

/**
 * Fastify plugin: a WebSocket route that pushes the server's time, on the second, to
 * every client, and `app.timeSocket` to see them and to speak to them.
 *
 * @throws {InvalidOptionError | NamespaceTakenError} at registration.
 */
export const fastifyTimeSocket: FastifyPluginAsync<TimeSocketOptions> = fp(timeSocketPlugin, {
  // 5.8.0 says of itself that it is 5.7.4.
  fastify: '>=5.7.4 <6',
  name: 'fastify-time-socket'
})

export default fastifyTimeSocket
