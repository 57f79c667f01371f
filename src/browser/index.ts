export { ServerClockError } from './clock-errors.js'
export type { ServerClockErrorCode } from './clock-errors.js'
export type { ClockEvent, ClockEvents, CloseDetail, RefusedDetail } from './clock-events.js'
export type {
  AtOptions, EveryOptions, ReadyOptions, ServerClockOptions, ServerClockUrl, SyncOptions, Transport
} from './clock-options.js'
export type { ClockState } from './connection/connection.js'
export type {
  Environment, Page, PageEvent, PlainAnswer, PlainRequest, Socket
} from './environment.js'
export type { TickMessage } from '../protocol/time-v1.js'
export { ServerClock } from './server-clock.js'
export type { Cancel } from './time/timetable.js'
