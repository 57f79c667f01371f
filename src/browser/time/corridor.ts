import { findEdge, findGap } from './bounds.js'
import type { Bounds, Edge } from './bounds.js'

/** The estimate of the server's clock at one moment of the local clock. */
export interface Estimate {
  /** The server's clock minus the local one, in milliseconds; 0 while `error` is Infinity. */
  readonly offset: number
  /** By how much the offset grows in a millisecond: positive if the server's clock runs faster. */
  readonly skew: number
  /** By how much `offset` may be wrong at most, in milliseconds; Infinity until that is known. */
  readonly error: number
}

/** The estimate over time. */
export interface Line {
  readonly skew: number
  /**
   * The width of the corridor at its end, in milliseconds; negative if the bounds contradict each
   * other.
   */
  readonly widthMs: number
  at (localMs: number): Estimate
}

/**
 * The assumed difference between the rates of two clocks: the largest and the usual one, and by how
 * much it usually changes between two visits.
 */
const MAX_SKEW = 100e-6
const USUAL_SKEW = 30e-6
const USUAL_CHANGE = 2e-6
/** By how much this difference wanders: at most, and usually. */
const MAX_WANDER = 5e-6
const USUAL_WANDER = 0.7e-6
/** The steepest slope of a line. More than `MAX_SKEW`, because the server's clock may be slewed. */
const STEEPEST = 500e-6
/** With fewer bounds on a side, or over a shorter time, the line is level. */
const MIN_COUNT = 4
const MIN_SPAN_MS = 2000
/** The least jitter that is assumed for the shortest delays. */
const MIN_JITTER_MS = 0.1
const SEARCH_STEPS = 16
/** The least fraction of the corridor's width that a prior skew must leave. */
const PRIOR_ROOM = 0.75

export interface FitOptions {
  /** Readings of the local clock are accurate to ± this many milliseconds. */
  readonly quantumMs: number
  /** The skew of the previous line. */
  readonly oldSkew: number
  /** The skew that an earlier visit has found; 0: unknown. */
  readonly priorSkew: number
}

/**
 * Fits a line into the corridor between the bounds of both sides: midway, and with the skew that
 * leaves the largest margin.
 *
 * `error` is the largest distance to any other line that fits. The bound therefore holds if no
 * delay is negative, the rates of the two clocks differ by at most 100 ppm, and that difference
 * wanders by at most 5 ppm. If the difference wanders more, the true offset may leave the corridor
 * by the excess times the age of the bounds: on a fast LAN, at 15 ppm, by 1.2 ms. The prior skew
 * does not affect `error`.
 *
 * @returns undefined while one side has no bound.
 */
export function fitLine (
  upper: Bounds, lower: Bounds, { quantumMs, oldSkew, priorSkew }: FitOptions
): Line | undefined {
  if (!upper[0] || !lower[0]) return undefined
  const endMs = Math.max(...[...upper, ...lower].map(([at]) => at))
  const spanMs = endMs - Math.max(upper[0][0], lower[0][0])
  const above = (rate: number): Edge => findEdge(upper, endMs, rate)
  const below = (rate: number): Edge => findEdge(lower, endMs, rate)

  function findSkew (likely: number, spread: number): number {
    const jitterMs = MIN_JITTER_MS +
      findGap(upper, endMs, oldSkew) + findGap(lower, endMs, -oldSkew)
    // Maximizes the width, in units of the jitter, minus half the square of the deviation from the
    // likely skew, in units of `spread`. The function is concave: find where it stops growing.
    return bisect(-STEEPEST, STEEPEST, (rate) => {
      const growth = above(USUAL_WANDER + rate).ageMs - below(USUAL_WANDER - rate).ageMs
      return growth / jitterMs > (rate - likely) / spread ** 2
    })
  }

  function widthOf (rate: number, wander: number): number {
    return above(wander + rate).valueMs + below(wander - rate).valueMs + 2 * quantumMs
  }

  const hasEnoughBounds = Math.min(upper.length, lower.length) >= MIN_COUNT && spanMs >= MIN_SPAN_MS
  const ownSkew = hasEnoughBounds ? findSkew(0, USUAL_SKEW) : 0
  // A prior that leaves much less room contradicts the bounds.
  const leastMs = PRIOR_ROOM * Math.max(0, widthOf(ownSkew, MAX_WANDER))
  const hasPrior = priorSkew !== 0 && widthOf(priorSkew, MAX_WANDER) >= leastMs
  const priorFound = hasEnoughBounds ? findSkew(priorSkew, USUAL_CHANGE) : priorSkew
  const skew = hasPrior ? priorFound : ownSkew
  const capMs = Math.max(0, widthOf(skew, USUAL_WANDER) / 2 - quantumMs)
  // Half of the gap: if delays hardly vary, the other half is wander and rounding.
  const least = (bounds: Bounds, rate: number): number =>
    findEdge(bounds, endMs, USUAL_WANDER + rate).valueMs -
      Math.min(capMs, findGap(bounds, endMs, rate) / 2)
  const offsetMs = (least(upper, skew) - least(lower, -skew)) / 2

  const limit = Math.max(MAX_SKEW, 2 * Math.abs(skew))
  const fits = (rate: number): boolean => widthOf(rate, MAX_WANDER) >= 0
  const [steepest, shallowest] = [bisect(skew, limit, fits), bisect(skew, -limit, fits)]
  const growth = MAX_WANDER + Math.max(steepest - skew, skew - shallowest)
  const errorMs = 2 * quantumMs + Math.max(
    above(MAX_WANDER + steepest).valueMs - offsetMs,
    below(MAX_WANDER - shallowest).valueMs + offsetMs
  )

  return {
    skew,
    widthMs: widthOf(skew, MAX_WANDER),
    at: (localMs) => ({
      offset: offsetMs + skew * (localMs - endMs),
      skew,
      error: errorMs + growth * Math.abs(localMs - endMs)
    })
  }
}

/** Finds, from `from` to `to`, where `holds` stops being true. */
function bisect (from: number, to: number, holds: (rate: number) => boolean): number {
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const middle = (from + to) / 2
    if (holds(middle)) from = middle
    else to = middle
  }
  return to
}
