import { types } from 'node:util'

/** 1973, in milliseconds. In seconds it is the year 5138: who gives less, gives seconds. */
const MIN_MS = 1e11
/** The last moment that `Date` can express (ECMA-262, time values). */
const MAX_MS = 8.64e15

/**
 * Reads a moment of our days, as an application gives it: a Date, or milliseconds since the Unix
 * epoch.
 *
 * @returns milliseconds; undefined if it is none, or most likely given in seconds.
 */
export function readMoment (value: unknown): number | undefined {
  const ms: unknown = types.isDate(value) ? value.getTime() : value
  return typeof ms === 'number' && ms >= MIN_MS && ms <= MAX_MS ? ms : undefined
}
