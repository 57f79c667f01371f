import type { TickMessage } from '../protocol/time-v1.js'

/** `detail` of `close`: how a connection, or an attempt to connect, has ended. */
export interface CloseDetail {
  /** The WebSocket close code; 1006 if there was none. */
  readonly code: number
  /** The server's close reason, or the clock's own explanation; empty after `close()`. */
  readonly reason: string
  /** Milliseconds until the next attempt; undefined if none is planned. */
  readonly retryIn: number | undefined
}

/** `detail` of `refused`. */
export interface RefusedDetail {
  /** The HTTP status; 0 after a redirect, which browsers hide. */
  readonly status: number
  /**
   * The `code` in the body of the server's answer, or one of the clock's own codes: `REDIRECTED`,
   * `BLOCKED` (plain HTTP works, WebSockets do not), `NOT_A_TIME_SOCKET`, `DO_NOT_RECONNECT` (close
   * code 4403).
   */
  readonly code: string | undefined
}

/** An event with a typed `detail`. */
export interface ClockEvent<Detail> extends Event {
  readonly detail: Detail
}

/** The events of a `ServerClock<Incoming>`, by their names. */
export interface ClockEvents<Incoming = unknown> {
  /** The clock is connected: `transport` says how. */
  open: ClockEvent<null>
  /** A connection has ended, or an attempt to connect has failed. */
  close: ClockEvent<CloseDetail>
  /** The server has sent a tick. */
  tick: ClockEvent<TickMessage>
  /** A message of the application takes effect. `detail` is its data: an ArrayBuffer for bytes. */
  message: ClockEvent<Incoming>
  /** The server has answered a probe: `offset`, `error`, `skew` and `rtt` have been updated. */
  sync: ClockEvent<null>
  /** `now()` has jumped by this many milliseconds. */
  step: ClockEvent<{ readonly by: number }>
  /** The server, or a proxy in front of it, has refused the clock. */
  refused: ClockEvent<RefusedDetail>
}

/** Fires an event of the clock. */
export type Emit = <Name extends keyof ClockEvents> (
  name: Name, detail: ClockEvents[Name]['detail']
) => void

/** An `EventTarget` whose events are typed. */
interface TypedTarget<Incoming> extends EventTarget {
  addEventListener<Name extends keyof ClockEvents> (
    type: Name, listener: (event: ClockEvents<Incoming>[Name]) => void, options?: ListenerOptions
  ): void
  addEventListener (...given: Parameters<EventTarget['addEventListener']>): void
  removeEventListener<Name extends keyof ClockEvents> (
    type: Name, listener: (event: ClockEvents<Incoming>[Name]) => void, options?: ListenerOptions
  ): void
  removeEventListener (...given: Parameters<EventTarget['removeEventListener']>): void
}

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

/**
 * The base class of `ServerClock`. Importing the class must not throw in a runtime without
 * `EventTarget`: the constructor does.
 */
export const ClockEventTarget = (globalThis.EventTarget ?? class {}) as
  new <Incoming> () => TypedTarget<Incoming>
