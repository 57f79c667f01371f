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
