import type * as entry from './index.js' with { 'resolution-mode': 'import' }

// The types of `require('fastify-time-socket/client')`. The values are in `dist/cjs/client.cjs`.
declare const client: typeof entry

// eslint-disable-next-line @typescript-eslint/no-redeclare
declare namespace client {
  export type AtOptions = entry.AtOptions
  export type Cancel = entry.Cancel
  export type ClockEvent<Detail> = entry.ClockEvent<Detail>
  export type ClockEvents<Incoming = unknown> = entry.ClockEvents<Incoming>
  export type ClockState = entry.ClockState
  export type CloseDetail = entry.CloseDetail
  export type Environment = entry.Environment
  export type EveryOptions = entry.EveryOptions
  export type Page = entry.Page
  export type PageEvent = entry.PageEvent
  export type PlainAnswer = entry.PlainAnswer
  export type PlainRequest = entry.PlainRequest
  export type ReadyOptions = entry.ReadyOptions
  export type RefusedDetail = entry.RefusedDetail
  export type ServerClock<Incoming = unknown> = entry.ServerClock<Incoming>
  export type ServerClockError = entry.ServerClockError
  export type ServerClockErrorCode = entry.ServerClockErrorCode
  export type ServerClockOptions = entry.ServerClockOptions
  export type ServerClockUrl = entry.ServerClockUrl
  export type Socket = entry.Socket
  export type SyncOptions = entry.SyncOptions
  export type TickMessage = entry.TickMessage
  export type Transport = entry.Transport
}

export = client
