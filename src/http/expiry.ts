import { readMoment, show } from '../util/values.js'

/**
 * How long a permission still lasts, by what the option `expiresAt` returned.
 *
 * @param nowMs the server's time.
 * @returns milliseconds, negative if it has ended; undefined if it has no end.
 * @throws {TypeError} if that is no moment: the application's mistake.
 */
export function remainingMs (expiresAt: unknown, nowMs: number): number | undefined {
  if (expiresAt === undefined) return undefined
  const expiresMs = readMoment(expiresAt)
  if (expiresMs === undefined) {
    throw new TypeError('expiresAt must return a Date, milliseconds since the Unix epoch or ' +
      `undefined, got ${show(expiresAt)} (the exp of a JWT is in seconds: return exp * 1000)`)
  }
  return expiresMs - nowMs
}
