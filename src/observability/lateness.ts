import { createHistogram } from 'node:perf_hooks'
import type { Timers } from '../util/timers.js'
import type { Stats } from '../api/stats.js'

/** Remembers how late the ticks of the last one to two minutes were. */
export interface Lateness {
  /** Adds one tick that was `lateMs` milliseconds late. */
  record (lateMs: number): void
  read (): Stats['lateness']
}

const PERIOD_MS = 60_000
/** In microseconds, with two significant digits: 20 kB per histogram. */
const SETTINGS = { lowest: 1, highest: 3_600_000_000, figures: 2 }

/** Keeps two histograms: of the current minute and of the last one. Older ticks are forgotten. */
export function createLateness (timers: Timers): Lateness {
  let [current, previous] = [createHistogram(SETTINGS), createHistogram(SETTINGS)]
  let sinceMs = timers.monotonic()

  function rotate (): void {
    const elapsedMs = timers.monotonic() - sinceMs
    if (elapsedMs < PERIOD_MS) return
    sinceMs += elapsedMs
    ;[current, previous] = [previous, current]
    current.reset()
    if (elapsedMs >= 2 * PERIOD_MS) previous.reset()
  }

  return {
    record (lateMs) {
      rotate()
      const micros = Math.round(lateMs * 1000)
      current.record(Math.min(Math.max(micros, SETTINGS.lowest), SETTINGS.highest))
    },
    read () {
      rotate()
      const both = createHistogram(SETTINGS)
      for (const histogram of [previous, current]) {
        if (histogram.count > 0) both.add(histogram)
      }
      if (both.count === 0) return { p50: 0, p99: 0, max: 0 }
      const [p50, p99] = [50, 99].map((percent) => both.percentile(percent) / 1000)
      return { p50, p99, max: both.max / 1000 } as Stats['lateness']
    }
  }
}
