import type { Clock } from '../api/tick.js'
import type { Timers } from '../util/timers.js'

export interface FineClockOptions {
  /** Shows whole milliseconds, rounded down, as `Date.now` does. */
  coarse: Clock
  timers: Timers
}

/** How fast one clock is expected to drift from the other, at most: 50 ppm. */
const DRIFT = 50e-6
/** How far the bounds may lie apart before something is done about it. */
const WIDE_MS = 0.15
/** How close is close enough then. */
const NARROW_MS = 0.05
/** How long to look for it: time enough to see a millisecond end, were the process idle. */
const POLLING_MS = 4

/**
 * Tells fractions of a millisecond: the monotonic clock, and by how much the coarse one is ahead.
 *
 * Each reading of the two says between which bounds that lies, and so does what all recent ones
 * have in common (Marzullo 1984). Readings just before and after a millisecond's end say most:
 * where the bounds are too far apart, it looks at every turn of the event loop until it has seen
 * one.
 *
 * Tells the lower bound. So it is never ahead, and nothing that waits for it is early; behind it is
 * by 0.2 ms at most where it is read every second and the event loop turns. When the coarse clock
 * steps, or drifts faster than expected, whatever was known is void: until a millisecond's end has
 * been seen, this one may be behind by a whole one.
 */
export function createFineClock ({ coarse, timers }: FineClockOptions): Clock {
  /** Taken off for a while: of small numbers small parts can be taken. */
  const originMs = coarse.now()
  /** Between which bounds the coarse clock, fractions included, is ahead of the monotonic one. */
  let [lowMs, highMs] = [-Infinity, Infinity]
  let lookedMs = timers.monotonic()
  let isPolling = false

  function look (): number {
    // The process may be held up between any two of these lines.
    const beforeMs = timers.monotonic()
    const wallMs = coarse.now() - originMs
    const afterMs = timers.monotonic()
    const [min, max] = [wallMs - afterMs, wallMs + 1 - beforeMs]
    const driftMs = (afterMs - lookedMs) * DRIFT
    lookedMs = afterMs
    lowMs = Math.max(lowMs - driftMs, min)
    highMs = Math.min(highMs + driftMs, max)
    if (lowMs > highMs) [lowMs, highMs] = [min, max]
    return originMs + (afterMs + lowMs)
  }

  function poll (endMs: number): void {
    look()
    isPolling = highMs - lowMs > NARROW_MS && lookedMs < endMs
    if (isPolling) timers.soon(() => poll(endMs))
  }

  return {
    now () {
      const nowMs = look()
      if (!isPolling && highMs - lowMs > WIDE_MS) {
        isPolling = true
        timers.soon(() => poll(lookedMs + POLLING_MS))
      }
      return nowMs
    }
  }
}
