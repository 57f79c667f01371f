import type { TickMessage } from '../protocol/time-v1.js'
import type { CloseDetail } from './connection/connection.js'

/** A tick; of a server without `time.v1` only `sent` may be known. */
export type TickDetail = Pick<TickMessage, 'sent'> & Partial<TickMessage>

/** An event with what it tells. */
export interface ClockEvent<Detail> extends Event {
  readonly detail: Detail
}

/** The events of a `ServerClock`, by their names. */
export interface ClockEvents {
  /** A connection is open. */
  open: ClockEvent<null>
  /** A connection has ended, or an attempt to connect. */
  close: ClockEvent<CloseDetail>
  /** The server has told its time unasked. */
  tick: ClockEvent<TickDetail>
  /** A message of the application's takes effect: its data, an ArrayBuffer for bytes. */
  message: ClockEvent<unknown>
  /** The server has answered: `offset`, `error`, `skew` and `rtt` are new. */
  sync: ClockEvent<null>
  /** `now()` has jumped, by this many milliseconds. */
  step: ClockEvent<{ readonly by: number }>
  /** The server has refused to connect, with this HTTP status; 0 if it cannot be known. */
  refused: ClockEvent<{ readonly status: number }>
}

/** Fires an event of the clock's. */
export type Emit = <Name extends keyof ClockEvents> (
  name: Name, detail: ClockEvents[Name]['detail']
) => void

/** An `EventTarget` that knows its events. */
interface TypedTarget extends EventTarget {
  addEventListener<Name extends keyof ClockEvents> (
    type: Name, listener: (event: ClockEvents[Name]) => void, options?: ListenerOptions
  ): void
  addEventListener (...given: Parameters<EventTarget['addEventListener']>): void
  removeEventListener<Name extends keyof ClockEvents> (
    type: Name, listener: (event: ClockEvents[Name]) => void, options?: ListenerOptions
  ): void
  removeEventListener (...given: Parameters<EventTarget['removeEventListener']>): void
}

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

/** What `ServerClock` is derived from. */
export const ClockEventTarget: new () => TypedTarget = EventTarget
