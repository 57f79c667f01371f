/** Who may send only so often. Undefined until the first message. */
export interface Sender {
  /** When it may send a further message, were there no bursts: the one number that is kept. */
  quotaMs: number | undefined
}

export interface Rate {
  /** How many messages may come at once: a whole number above 0. */
  burst: number
  /** How many may come in a second, on and on: above 0, fractions allowed. */
  perSecond: number
}

export interface RateLimit {
  /** Counts one message at this moment of the monotonic clock. @returns whether it may pass. */
  takes (sender: Sender, nowMs: number): boolean
  /**
   * Counts one that may not pass and would be left out. @returns whether that may go on: up to
   * ten times the rate, those that passed included.
   */
  tolerates (sender: Sender, nowMs: number): boolean
}

const TOLERANCE = 10

/** @param rate `false`: as often as they like. */
export function createRateLimit (rate: Rate | false): RateLimit {
  if (rate === false) return { takes: () => true, tolerates: () => true }
  const excess = TOLERANCE - 1
  const takesExcess = createBucket({
    burst: excess * rate.burst, perSecond: excess * rate.perSecond
  })
  /** Only of those that have sent too much. */
  const excesses = new WeakMap<Sender, Sender>()
  return {
    takes: createBucket(rate),
    tolerates (sender, nowMs) {
      const sent = excesses.get(sender) ?? { quotaMs: undefined }
      excesses.set(sender, sent)
      return takesExcess(sent, nowMs)
    }
  }
}

/**
 * A token bucket for each sender, of `burst` tokens, refilled `perSecond`. Written as the
 * generic cell rate algorithm (ITU-T I.371, annex A), which needs one number for each and no timer.
 *
 * @returns a function that counts one message, and says whether it may pass; one that may not
 * costs nothing.
 */
function createBucket ({ burst, perSecond }: Rate): RateLimit['takes'] {
  const costMs = 1000 / perSecond
  // A thousandth more than the burst's last: sums are rounded.
  const toleranceMs = (burst - 0.999) * costMs
  return (sender, nowMs) => {
    const quotaMs = Math.max(sender.quotaMs ?? nowMs, nowMs)
    if (quotaMs - nowMs > toleranceMs) return false
    sender.quotaMs = quotaMs + costMs
    return true
  }
}
