import type { Chance } from './distributions.js'

/** A device's monotonic clock: it runs a little fast or slow, and shows no fine fractions. */
export interface DriftingClock {
  /** By how much the clock is fast on average, in parts per million. */
  readonly skewPpm: number
  /** What it shows at this moment of the true time. Moments may be asked for in any order. */
  read (trueMs: number): number
  /** How long it really takes until it shows so much more. */
  lasts (shownMs: number): number
}

export interface DriftingClockOptions {
  chance: Chance
  /** By how much it is fast, in parts of a million; default: at random, 25 of them usually. */
  skewPpm?: number
  /** By how much that strays usually; never by more than five times as much. */
  wanderPpm?: number
  /** What it shows is rounded down to a multiple of this. */
  resolutionMs?: number
  /** What it shows at the beginning. */
  startMs?: number
}

const SEGMENT_MS = 10_000
/** How much of its stray a clock keeps from segment to segment: it forgets within minutes. */
const MEMORY = 0.97
const USUAL_SKEW_PPM = 25

export function createDriftingClock ({
  chance, wanderPpm = 1, resolutionMs = 0.1, startMs = 1234.567,
  skewPpm = USUAL_SKEW_PPM * chance.normal()
}: DriftingClockOptions): DriftingClock {
  const mostPpm = 5 * wanderPpm
  let strayPpm = 0
  /** What is added to the true time at the start of each segment, exactly. */
  const aheadMs = [startMs]
  const rates: number[] = []

  function extend (): void {
    const noise = chance.normal() * wanderPpm * Math.sqrt(1 - MEMORY ** 2)
    strayPpm = Math.max(-mostPpm, Math.min(mostPpm, MEMORY * strayPpm + noise))
    const rate = (skewPpm + strayPpm) * 1e-6
    rates.push(rate)
    aheadMs.push(Number(aheadMs.at(-1)) + rate * SEGMENT_MS)
  }

  return {
    skewPpm,
    read (trueMs) {
      const segment = Math.max(0, Math.floor(trueMs / SEGMENT_MS))
      while (rates.length <= segment) extend()
      const inSegmentMs = trueMs - segment * SEGMENT_MS
      const exactMs = trueMs + Number(aheadMs[segment]) + Number(rates[segment]) * inSegmentMs
      const count = Math.floor(exactMs / resolutionMs)
      // Divided where that is exact: 3 × 0.1 is not 0.3.
      return resolutionMs < 1 ? count / (1 / resolutionMs) : count * resolutionMs
    },
    lasts: (shownMs) => shownMs / (1 + skewPpm * 1e-6)
  }
}
