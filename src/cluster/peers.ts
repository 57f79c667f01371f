import type { Timers } from '../util/timers.js'

/** The other servers' time sockets that have been heard of, and how far each has come. */
export interface Origins {
  /** How many are known. */
  readonly count: number
  /**
   * A message has come.
   *
   * @returns how many before it are missing; undefined if it has come before, or a later one has:
   * it must then be left out.
   */
  follow (origin: string, seq: number): number | undefined
  /**
   * A sign of life has come, which names the latest message.
   *
   * @returns how many are missing.
   */
  catchUp (origin: string, seq: number): number
  has (origin: string): boolean
}

/** An origin that has been silent for so long is forgotten: longer than any outage should be. */
const SILENCE_MS = 3_600_000
/** More are not known at a time: the longest silent one is forgotten. */
const MAX_COUNT = 1000

/**
 * What comes from an origin for the first time says where it begins: what it sent before that was
 * not meant for us.
 */
export function createOrigins (timers: Timers): Origins {
  /** In the order in which they were last heard of. */
  const known = new Map<string, { seq: number, heardMs: number }>()

  function hear (origin: string, seq: number): void {
    const heardMs = timers.monotonic()
    known.delete(origin)
    known.set(origin, { seq, heardMs })
    for (const [oldest, { heardMs: oldestMs }] of known) {
      if (known.size <= MAX_COUNT && heardMs - oldestMs < SILENCE_MS) break
      known.delete(oldest)
    }
  }

  return {
    get count () {
      return known.size
    },
    follow (origin, seq) {
      const last = known.get(origin)?.seq ?? seq - 1
      hear(origin, Math.max(last, seq))
      return seq > last ? seq - last - 1 : undefined
    },
    catchUp (origin, seq) {
      const last = known.get(origin)?.seq ?? seq
      hear(origin, Math.max(last, seq))
      return Math.max(0, seq - last)
    },
    has: (origin) => known.has(origin)
  }
}
