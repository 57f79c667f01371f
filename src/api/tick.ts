/** One pushed time. Times are milliseconds since the Unix epoch; fractions allowed. */
export interface Tick {
  /**
   * Counts up by one per tick, from 0, also where a format failed to show it; −1 in the
   * immediate tick of a client that came before the first.
   */
  readonly seq: number
  /** The boundary that this tick stands for: a whole multiple of `interval`. */
  readonly at: number
  /** When it was sent: never before `at`. */
  readonly sent: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** Goes up by one whenever the server's wall clock steps by more than 50 ms. */
  readonly clockSteps: number
}

/** The ready-made looks of a tick. */
export type FormatName = 'iso' | 'date-string' | 'timestamp' | 'json'

/**
 * What a tick looks like: a non-empty string, sent as text, or bytes, sent as a
 * binary message. Pure; called once for a tick, never once per client.
 */
export type Format = (tick: Tick) => string | Uint8Array

/** A wall clock. */
export interface Clock {
  /** The time now, in milliseconds since the Unix epoch; fractions allowed. Runs at real speed. */
  now (): number
}
