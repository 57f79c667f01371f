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

/** What can be sent. `Sendable` accepts values of your own interfaces as well. */
export type Message = Json | ArrayBuffer | ArrayBufferView

/** A JSON value (RFC 8259). */
export type Json =
  string | number | boolean | null | readonly Json[] |
  { readonly [key: string]: Json | undefined }

/**
 * `Data` itself if it can be sent; otherwise the same type with `never` in place of each part that
 * cannot. A string is sent as text, bytes as a binary message, any other value as its JSON text.
 */
export type Sendable<Data> =
  [Data] extends [Message] ? Data :
    Data extends ArrayBuffer | ArrayBufferView ? Data : AsJson<Data>

type AsJson<Value> =
  Value extends string | number | boolean | null | { toJSON (): unknown } ? Value :
    Value extends undefined | bigint | symbol | Lost ? never :
      Value extends readonly unknown[] ? { readonly [Index in keyof Value]: AsJson<Value[Index]> } :
          { readonly [Key in keyof Value]: AsJson<Value[Key]> | Extract<Value[Key], undefined> }

/** Types that JSON leaves out or turns into {}. */
type Lost =
  ((...args: never) => unknown) | PromiseLike<unknown> | ReadonlyMap<unknown, unknown> |
  ReadonlySet<unknown> | RegExp | Error

/** The JSON body that answers a plain `GET`. */
export interface TimeAnswer {
  /** The `id` of the `Accept` header, if the request has one. */
  readonly id?: number
  /**
   * The server's time when this answer was written: milliseconds since the Unix epoch, with at
   * most two decimals.
   */
  readonly now: number
  /** Milliseconds from the arrival of the request to `now`. */
  readonly hold: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** How many times the server's wall clock has stepped. */
  readonly clockSteps: number
  /** The random id of the server process. Compare `clockSteps` only within one process. */
  readonly server: string
  /** The built-in subprotocols. */
  readonly protocols: readonly string[]
  /** Present while an upgrade would be refused for capacity. */
  readonly upgrade?: {
    /** The HTTP status of the refusal. */
    readonly status: 503 | 429
    /** The code of the refusal. */
    readonly code: string
    /** Seconds to wait before trying again. */
    readonly retryAfter: number
  }
}
