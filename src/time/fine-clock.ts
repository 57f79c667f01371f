import type { Clock } from '../api/option-values.js'
import type { Timers } from '../util/timers.js'

export interface FineClockOptions {
  /** Returns whole milliseconds, rounded down, as `Date.now` does. */
  coarse: Clock
  timers: Timers
}

/** How fast one clock is expected to drift from the other, at most: 50 ppm. */
const DRIFT = 50e-6
/** How far apart the bounds may be before the clock polls. */
const WIDE_MS = 0.15
/** How close together the bounds must be for polling to end. */
const NARROW_MS = 0.05
/** How long to poll: in an idle process, long enough to see the end of a millisecond. */
const POLLING_MS = 4

/**
 * Adds fractions of a millisecond to a coarse clock: the monotonic clock plus the offset between
 * the two.
 *
 * Each pair of readings bounds the offset, and the intersection of recent bounds is narrower
 * (Marzullo 1984). Readings just before and after the end of a millisecond narrow it most. If the
 * bounds are too far apart, the clock polls in every turn of the event loop, for 4 ms at most,
 * until a millisecond has ended.
 *
 * The time shown uses the lower bound, so it is never ahead, and nothing that waits for it is
 * early. It is at most 0.2 ms behind if it is read every second and the event loop turns. When the
 * coarse clock steps, or drifts faster than expected, the bounds are reset: until the end of a
 * millisecond has been seen, the time may be behind by up to 1 ms.
 */
export function createFineClock ({ coarse, timers }: FineClockOptions): Clock {
  /** Subtracted so that a double keeps sub-millisecond precision. */
  const originMs = coarse.now()
  /** The bounds of the coarse clock, fractions included, minus the monotonic clock. */
  let [lowMs, highMs] = [-Infinity, Infinity]
  let lastReadingMs = timers.monotonic()
  let isPolling = false

  function readClocks (): number {
    // The process may stall between any two of these lines.
    const beforeMs = timers.monotonic()
    const wallMs = coarse.now() - originMs
    const afterMs = timers.monotonic()
    const [min, max] = [wallMs - afterMs, wallMs + 1 - beforeMs]
    const driftMs = (afterMs - lastReadingMs) * DRIFT
    lastReadingMs = afterMs
    lowMs = Math.max(lowMs - driftMs, min)
    highMs = Math.min(highMs + driftMs, max)
    if (lowMs > highMs) [lowMs, highMs] = [min, max]
    return originMs + (afterMs + lowMs)
  }

  function poll (endMs: number): void {
    readClocks()
    isPolling = highMs - lowMs > NARROW_MS && lastReadingMs < endMs
    if (isPolling) timers.soon(() => poll(endMs))
  }

  return {
    now () {
      const nowMs = readClocks()
      if (!isPolling && highMs - lowMs > WIDE_MS) {
        isPolling = true
        timers.soon(() => poll(lastReadingMs + POLLING_MS))
      }
      return nowMs
    }
  }
}
