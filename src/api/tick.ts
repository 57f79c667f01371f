/** One tick. Times are milliseconds since the Unix epoch, with fractions. */
export interface Tick {
  /**
   * Counts up by one per tick, from 0, also when the formatter failed. −1 in an immediate tick
   * before the first tick.
   */
  readonly seq: number
  /** The boundary that this tick stands for: a whole multiple of `interval`. */
  readonly at: number
  /** When it was sent: never before `at`. */
  readonly sent: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** How often the server's wall clock has stepped by more than 50 ms. */
  readonly clockSteps: number
}

/** The formats that the plugin brings. */
export type FormatName = 'iso' | 'date-string' | 'timestamp' | 'json'

/**
 * Formats a tick for clients without `time.v1`: a non-empty string is sent as text, bytes as a
 * binary message. Must be pure: it is called once per slice of a fan-out, never once per client.
 */
export type Format = (tick: Tick) => string | Uint8Array

/** A wall clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch, with fractions if you like. Runs at real speed. */
  now (): number
}
