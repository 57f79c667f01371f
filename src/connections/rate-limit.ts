/** How often one sender may send. */
export interface Rate {
  /** How many messages a sender may send at once: a whole number above 0. */
  burst: number
  /** How many messages a sender may send per second in the long run: above 0, fractions allowed. */
  perSecond: number
}

/** Limits how often each sender may send. */
export interface RateLimit<Sender> {
  /**
   * Counts a message at this instant of the monotonic clock.
   *
   * @returns true if the message may pass.
   */
  tryAcquire (sender: Sender, nowMs: number): boolean
  /**
   * Counts a message that may not pass and is dropped.
   *
   * @returns true while the sender stays below ten times the rate, messages that passed included.
   */
  withinHardLimit (sender: Sender, nowMs: number): boolean
}

/** Stores the one number that a limit needs per sender. A WeakMap fits. */
export interface Quotas<Sender> {
  /** Undefined before the first message. */
  get (sender: Sender): number | undefined
  set (sender: Sender, quotaMs: number): unknown
}

const HARD_LIMIT_FACTOR = 10

/** @param rate `false` lets every message pass. */
export function createRateLimit<Sender extends object> (
  rate: Rate | false, quotas: Quotas<Sender>
): RateLimit<Sender> {
  if (rate === false) return { tryAcquire: () => true, withinHardLimit: () => true }
  const excessFactor = HARD_LIMIT_FACTOR - 1
  const excessRate = {
    burst: excessFactor * rate.burst, perSecond: excessFactor * rate.perSecond
  }
  return {
    tryAcquire: createBucket(rate, quotas),
    // Contains only senders that have exceeded the limit.
    withinHardLimit: createBucket(excessRate, new WeakMap<Sender, number>())
  }
}

/**
 * A token bucket for each sender, of `burst` tokens, refilled `perSecond`. Implemented as the
 * generic cell rate algorithm (ITU-T I.371, annex A), which needs no timer, and one number per
 * sender: when the sender could send its next message if there were no bursts.
 *
 * @returns a function that counts a message, and returns true if it may pass. A message that may
 * not pass takes no token.
 */
function createBucket<Sender> (
  { burst, perSecond }: Rate, quotas: Quotas<Sender>
): RateLimit<Sender>['tryAcquire'] {
  const costMs = 1000 / perSecond
  // A thousandth of a token of tolerance, because sums are rounded.
  const toleranceMs = (burst - 0.999) * costMs
  return (sender, nowMs) => {
    const quotaMs = Math.max(quotas.get(sender) ?? nowMs, nowMs)
    if (quotaMs - nowMs > toleranceMs) return false
    quotas.set(sender, quotaMs + costMs)
    return true
  }
}
