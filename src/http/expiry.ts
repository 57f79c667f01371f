import type { Expiry } from '../connections/client.js'
import { readMoment, show } from '../util/values.js'

/**
 * When a permission ends, by what the option `expiresAt` returned.
 *
 * @param nowMs the server's time, read at `monotonicMs`.
 * @returns undefined if the permission does not end.
 * @throws {TypeError} if `expiresAt` is no valid date: the application's mistake.
 */
export function readExpiry (
  expiresAt: unknown, nowMs: number, monotonicMs: number
): Expiry | undefined {
  if (expiresAt === undefined) return undefined
  const at = readMoment(expiresAt)
  if (at === undefined) {
    throw new TypeError('expiresAt must return a Date, milliseconds since the Unix epoch or ' +
      `undefined, got ${show(expiresAt)} (the exp of a JWT is in seconds: return exp * 1000)`)
  }
  return { at, dueMs: monotonicMs + at - nowMs }
}
