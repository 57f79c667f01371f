import { types } from 'node:util'
import { show } from './show.js'

/** 1973, in milliseconds. In seconds it is the year 5138: who gives less, gives seconds. */
const MIN_MS = 1e11
/** The last moment that `Date` can express (ECMA-262, time values). */
const MAX_MS = 8.64e15

/**
 * How long a permission still lasts, by what the option `expiresAt` returned.
 *
 * @param nowMs the server's time.
 * @returns milliseconds, negative if it has ended; undefined if it has no end.
 * @throws {TypeError} if that is no moment: the application's mistake.
 */
export function remainingMs (expiresAt: unknown, nowMs: number): number | undefined {
  if (expiresAt === undefined) return undefined
  const expiresMs: unknown = types.isDate(expiresAt) ? expiresAt.getTime() : expiresAt
  if (typeof expiresMs !== 'number' || !(expiresMs >= MIN_MS && expiresMs <= MAX_MS)) {
    throw new TypeError('expiresAt must return a Date, milliseconds since the Unix epoch or ' +
      `undefined, got ${show(expiresAt)} (the exp of a JWT is in seconds: return exp * 1000)`)
  }
  return expiresMs - nowMs
}
