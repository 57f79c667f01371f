import { findEdge, findGap } from './bounds.js'
import type { Bounds, Edge } from './bounds.js'

/** What is known of the server's clock at one moment of the local one. */
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
  /** How wide the corridor is at its end, in milliseconds; negative: the bounds contradict. */
  readonly widthMs: number
  at (localMs: number): Estimate
}

/** By how much the rates of two clocks differ at most, and usually. */
const MAX_SKEW = 100e-6
const USUAL_SKEW = 30e-6
/** By how much that difference strays at most, and usually. */
const MAX_WANDER = 5e-6
const USUAL_WANDER = 0.7e-6
/** A line may be steeper: the server's clock may be brought to the right time slowly. */
const STEEPEST = 500e-6
/** With fewer bounds on a side, or over a shorter time, the line is level. */
const MIN_COUNT = 4
const MIN_SPAN_MS = 2000
/** What is taken for the jitter of the least delays, if they have less. */
const MIN_JITTER_MS = 0.1
const SEARCH_STEPS = 16

/**
 * Fits a line into the corridor between the bounds of both sides: midway, and with the skew that
 * leaves it the most room, which is the maximum margin.
 *
 * `error` is how far from it any line may be that fits in as well. So it holds as long as no delay
 * is negative, and the rates of the clocks differ by at most 100 ppm, and stray by at most 5.
 *
 * @param quantumMs what the local clock shows is true to ± so much.
 * @param oldSkew the one found before.
 * @returns undefined while one side has no bound.
 */
export function fitLine (
  upper: Bounds, lower: Bounds, quantumMs: number, oldSkew: number
): Line | undefined {
  if (!upper[0] || !lower[0]) return undefined
  const endMs = Math.max(...[...upper, ...lower].map(([at]) => at))
  const spanMs = endMs - Math.max(upper[0][0], lower[0][0])
  const above = (rate: number): Edge => findEdge(upper, endMs, rate)
  const below = (rate: number): Edge => findEdge(lower, endMs, rate)

  function findSkew (): number {
    const jitterMs = MIN_JITTER_MS +
      findGap(upper, endMs, oldSkew) + findGap(lower, endMs, -oldSkew)
    // What is greatest there is the width, measured by the jitter, less the square of the skew,
    // measured by what is usual. It is concave: where it stops growing.
    return bisect(-STEEPEST, STEEPEST, (rate) => {
      const growth = above(USUAL_WANDER + rate).ageMs - below(USUAL_WANDER - rate).ageMs
      return growth / jitterMs > rate / USUAL_SKEW ** 2
    })
  }

  function widthOf (rate: number, wander: number): number {
    return above(wander + rate).valueMs + below(wander - rate).valueMs + 2 * quantumMs
  }

  const isLong = Math.min(upper.length, lower.length) >= MIN_COUNT && spanMs >= MIN_SPAN_MS
  const skew = isLong ? findSkew() : 0
  const capMs = Math.max(0, widthOf(skew, USUAL_WANDER) / 2 - quantumMs)
  // Half of the gap: where delays hardly vary, the rest of it is wander and rounding.
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

/** Where, from `from` to `to`, something stops being so. */
function bisect (from: number, to: number, isSo: (rate: number) => boolean): number {
  for (let step = 0; step < SEARCH_STEPS; step++) {
    const middle = (from + to) / 2
    if (isSo(middle)) from = middle
    else to = middle
  }
  return to
}
