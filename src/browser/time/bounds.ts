/**
 * The bounds of one side, oldest first: the offset was at most `value` when the local clock showed
 * `at`. Lower bounds are negated, so that on both sides a smaller value is tighter.
 */
export type Bounds = ReadonlyArray<readonly [at: number, value: number]>

const MAX_COUNT = 48
const MAX_AGE_MS = 20 * 60_000

/**
 * Adds a bound, and drops bounds older than 20 minutes. If there are then 49, drops the looser one
 * of the two neighbours that are closest together relative to their age, so that older bounds
 * become sparser.
 */
export function addBound (bounds: Bounds, atMs: number, valueMs: number): Bounds {
  const kept = [...bounds.filter(([at]) => atMs - at < MAX_AGE_MS), [atMs, valueMs] as const]
  if (kept.length <= MAX_COUNT) return kept
  let closest = Infinity
  let looser = kept[0]
  kept.reduce((one, other) => {
    const closeness = (other[0] - one[0]) / (atMs - one[0])
    if (closeness < closest) {
      closest = closeness
      looser = one[1] > other[1] ? one : other
    }
    return other
  })
  return kept.filter((bound) => bound !== looser)
}

/** The tightest of some bounds, extended to a later time. */
export interface Edge {
  readonly valueMs: number
  /** How much older the bound is than that time. */
  readonly ageMs: number
}

/** Finds the tightest bound at `endMs`, if the bounded value grows by `rate` per millisecond. */
export function findEdge (bounds: Bounds, endMs: number, rate: number): Edge {
  let edge = { valueMs: Infinity, ageMs: 0 }
  for (const [at, value] of bounds) {
    const ageMs = endMs - at
    const valueMs = value + rate * ageMs
    if (valueMs < edge.valueMs) edge = { valueMs, ageMs }
  }
  return edge
}

/**
 * Estimates how far the least observed delay is above the least possible one: the average distance
 * between the four lowest bounds.
 */
export function findGap (bounds: Bounds, endMs: number, rate: number): number {
  const values = bounds.map(([at, value]) => value + rate * (endMs - at)).sort((a, b) => a - b)
  const [first = 0, , , fourth = first] = values
  return (fourth - first) / 3
}
