import type { Environment } from '../environment.js'

/** Sets the timer, which replaces what it was set to; without arguments it is stopped. */
export type Timer = (callback?: () => void, ms?: number) => void

/** Longer timers fire at once. */
const MAX_MS = 2 ** 31 - 1
const MINUTE_MS = 60_000

/** A timer that is set once at a time. It fires early if `ms` is more than 24 days. */
export function createTimer ({ setTimeout, clearTimeout }: Environment): Timer {
  let timer: unknown
  return (callback, ms = 0) => {
    clearTimeout(timer)
    timer = callback && setTimeout(callback, Math.min(ms, MAX_MS))
  }
}

/**
 * Takes one of `limit` permits of a minute. @param reserve how many to leave for others.
 * @returns whether there was one.
 */
export type Budget = (reserve?: number) => boolean

/** Any minute sees at most `limit` permits. */
export function createBudget ({ monotonic }: Environment, limit: number): Budget {
  let takenMs: number[] = []
  return (reserve = 0) => {
    const nowMs = monotonic()
    takenMs = takenMs.filter((ms) => nowMs - ms < MINUTE_MS)
    const isLeft = takenMs.length < limit - reserve
    if (isLeft) takenMs.push(nowMs)
    return isLeft
  }
}
