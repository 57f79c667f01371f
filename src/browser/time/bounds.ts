/**
 * Of one side, oldest first: the offset was at most `value` when the local clock showed `at`. Those
 * of the lower side have their sign turned: the less, the tighter, on both.
 */
export type Bounds = ReadonlyArray<readonly [at: number, value: number]>

const MAX_COUNT = 48
const MAX_AGE_MS = 20 * 60_000

/**
 * Adds one. Those older than 20 minutes are forgotten. Of 49, two neighbours become one, the
 * tighter: those that are closest for their age, so that the past grows sparser.
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

/** The tightest of some bounds, at a later time than theirs. */
export interface Edge {
  readonly valueMs: number
  /** By how much later. */
  readonly ageMs: number
}

/** Carries bounds on to `endMs`: what they bound grows by `rate` a millisecond. */
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
 * About how far the least delay that was met is above the least there could be: as far as the
 * lowest are from each other.
 */
export function findGap (bounds: Bounds, endMs: number, rate: number): number {
  const values = bounds.map(([at, value]) => value + rate * (endMs - at)).sort((a, b) => a - b)
  const [first = 0, , , fourth = first] = values
  return (fourth - first) / 3
}
