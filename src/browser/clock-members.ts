import type { ClockState } from './connection/connection.js'
import type { ReadyOptions } from './readiness.js'
import type { Cancel } from './time/timetable.js'

/** What a `ServerClock` tells and does. */
export interface ClockMembers {
  /**
   * The server's time, milliseconds since the Unix epoch; before the first sync the device's. It
   * never runs backwards, but in a `step`.
   */
  now (): number
  /** By how many milliseconds `now()` may be wrong at most; Infinity while that is not known. */
  readonly error: number
  /** Whether `error` is known. */
  readonly synced: boolean
  /** Milliseconds by which `now()` is ahead of the device's clock; negative: behind. */
  readonly offset: number
  /** By how much the server's clock runs faster than the device's: 0.00001 is 10 µs a second. */
  readonly skew: number
  /** Milliseconds that the latest exchange took there and back; undefined before the first. */
  readonly rtt: number | undefined
  readonly state: ClockState
  /** The subprotocol that the server has agreed to; empty without one, or a connection. */
  readonly protocol: string
  /**
   * Resolves once `error` is small enough. Rejects when the clock is `closed` or `refused`, when
   * the server does not speak `time.v1`, and with the signal's reason.
   */
  ready (options?: ReadyOptions): Promise<void>
  /**
   * Calls back once, when the server's clock gets there, or soon if it has. @throws a RangeError
   * for what is no time.
   */
  at (serverTime: number | Date, callback: () => void): Cancel
  /**
   * Calls back at whole multiples of `ms` on the server's clock, once for all that were missed; no
   * message is exchanged for it. @throws a RangeError for what is no positive number.
   */
  every (ms: number, callback: () => void): Cancel
  /** When `now()` will show this time, or has, on the line of `performance.now()`. */
  toMonotonic (serverTime: number | Date): number
  /** Sends a string, bytes or a JSON value. @returns whether there was a connection. */
  send (data: unknown): boolean
  /** Ends the connection and everything else, until `open()`: nobody is called back. */
  close (): void
  /** Connects again, after any stop; what is known of the server's clock is kept. */
  open (): void
}
