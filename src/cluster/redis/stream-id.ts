/** The place of an entry in a stream: milliseconds of the clock of Redis, and a number. */
export type StreamId = `${number}-${number}`

/** Before the first entry. */
export const BEGINNING: StreamId = '0-0'

/** Whether the one stands before the other. */
export function isBefore (one: StreamId, other: StreamId): boolean {
  const [[oneMs, oneSeq], [otherMs, otherSeq]] = [partsOf(one), partsOf(other)]
  return oneMs < otherMs || (oneMs === otherMs && oneSeq < otherSeq)
}

/** The place so many milliseconds before. */
export function rewind (id: StreamId, ms: number): StreamId {
  return `${Math.max(0, partsOf(id)[0] - ms)}-0`
}

function partsOf (id: StreamId): [ms: number, seq: number] {
  const [ms, seq] = id.split('-')
  return [Number(ms), Number(seq)]
}
