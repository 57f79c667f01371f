import type * as entry from './index.js' with { 'resolution-mode': 'import' }

// Since 20.19, Node.js loads ES modules through require: all callers share one instance.
const { default: plugin, ...others }: typeof entry = require('./index.js')

/** The plugin, for `require('fastify-time-socket')`. The named exports are its members. */
const fastifyTimeSocket = Object.assign(
  plugin, { ...others, default: plugin, fastifyTimeSocket: plugin }
)

// eslint-disable-next-line @typescript-eslint/no-redeclare
declare namespace fastifyTimeSocket {
  export type Backplane = entry.Backplane
  export type BackplaneStats = entry.BackplaneStats
  export type BroadcastOptions<Context = TimeSocketContext> = entry.BroadcastOptions<Context>
  export type Clock = entry.Clock
  export type CloseCause = entry.CloseCause
  export type CloseInfo = entry.CloseInfo
  export type Deliver = entry.Deliver
  export type ExpiresAt = entry.ExpiresAt
  export type Format = entry.Format
  export type FormatName = entry.FormatName
  export type Json = entry.Json
  export type Message = entry.Message
  export type RefusalCause = entry.RefusalCause
  export type Scalar = entry.Scalar
  export type Sendable<Data> = entry.Sendable<Data>
  export type Stats = entry.Stats
  export type Tick = entry.Tick
  export type TickDelivery = entry.TickDelivery
  export type TimeAnswer = entry.TimeAnswer
  export type TimeSocket<Context = TimeSocketContext> = entry.TimeSocket<Context>
  export type TimeSocketClient<Context = TimeSocketContext> = entry.TimeSocketClient<Context>
  // Declared anew, because an alias cannot be augmented. `api/time-socket.ts` inherits the fields.
  export interface TimeSocketContext {}
  export interface TimeSocketNamespaces {}
  export type TimeSocketOptions<Context = TimeSocketContext> =
    entry.TimeSocketOptions<Context>
  export type TimeSocketHook = entry.TimeSocketHook
  export type TimeSocketPlugin = entry.TimeSocketPlugin
  export type TimeSocketRouteOptions = entry.TimeSocketRouteOptions
  export type WebsocketOptions = entry.WebsocketOptions
  export type WebsocketServerOptions = entry.WebsocketServerOptions
  export type Where<Context> = entry.Where<Context>
}

export = fastifyTimeSocket
