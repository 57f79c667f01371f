/** Who may send only so often. Undefined until the first message. */
export interface Sender {
  /** When it may send a further message, were there no bursts: the one number that is kept. */
  quotaMs: number | undefined
}

export interface RateLimitOptions {
  /** How many messages may come at once: a whole number above 0. */
  burst: number
  /** How many may come in a second, on and on: above 0, fractions allowed. */
  perSecond: number
}

/**
 * A token bucket for each sender, of `burst` tokens, refilled `perSecond`. Written as the
 * generic cell rate algorithm (ITU-T I.371, annex A), which needs one number for each and no timer.
 *
 * @returns a function that counts one message at this moment of the monotonic clock, and
 * says whether it may pass; one that may not costs nothing.
 */
export function createRateLimit (
  { burst, perSecond }: RateLimitOptions
): (sender: Sender, nowMs: number) => boolean {
  const costMs = 1000 / perSecond
  const toleranceMs = (burst - 1) * costMs
  return (sender, nowMs) => {
    const quotaMs = Math.max(sender.quotaMs ?? nowMs, nowMs)
    if (quotaMs - nowMs > toleranceMs) return false
    sender.quotaMs = quotaMs + costMs
    return true
  }
}
