import { inspect, types } from 'node:util'
import { InvalidArgumentError } from '../api/errors.js'
import type { Scalar } from '../api/time-socket.js'

const MAX_SHOWN_LENGTH = 100
/**
 * 1973 in milliseconds since the Unix epoch. The same number in seconds is the year 5138, so a
 * smaller number was most likely given in seconds.
 */
const MIN_MOMENT_MS = 1e11
/** The last instant that `Date` can express, in milliseconds (ECMA-262, time values). */
const MAX_TIME_MS = 8.64e15

/** Shows any value in an error message: one line of at most 100 characters. Never throws. */
export function show (value: unknown): string {
  const text = inspectSafely(value).replace(/\s*\n\s*/g, ' ')
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`
}

/** `inspect` throws when a getter or a proxy of the value throws. */
function inspectSafely (value: unknown): string {
  try {
    return inspect(value, { depth: 0, customInspect: false, breakLength: Infinity })
  } catch {
    return typeof value
  }
}

/** True for a number of milliseconds since the Unix epoch that `Date` can express. */
export function isTime (value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_TIME_MS
}

/**
 * Reads an instant that an application gives as a Date or in milliseconds since the Unix epoch.
 *
 * @returns milliseconds since the Unix epoch; undefined for anything else, and for an instant
 * before 1973, which is most likely a number of seconds.
 */
export function readMoment (value: unknown): number | undefined {
  const ms: unknown = types.isDate(value) ? value.getTime() : value
  return isTime(ms) && ms >= MIN_MOMENT_MS ? ms : undefined
}

/**
 * True for objects like those that literals and `JSON.parse` create. A Map or a promise is not a
 * plain object: it would seem to have no fields at all.
 */
export function isPlainObject (value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // The second test accepts the Object.prototype of another realm, too.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** True for the values that `where` can compare and JSON can express. */
export function isScalar (value: unknown): value is Scalar {
  return value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)
}

type Defined<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> }

/** Copies an object without its `undefined` fields: an undefined option counts as absent. */
export function withoutUndefined<Fields extends object> (fields: Fields): Defined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Defined<Fields>
}

/** True for promises, including those of other libraries: every value that `await` waits for. */
export function isThenable (value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Turns a value, or a thenable whose `then` may misbehave, into a native promise. */
export async function toNativePromise<Value> (thenable: Value): Promise<Awaited<Value>> {
  return await thenable
}

/** Ignores the result of a promise, a rejection included. */
export function ignoreResult (thenable: PromiseLike<unknown>): void {
  toNativePromise(thenable).catch(() => {})
}

/**
 * Checks the answer of an application's predicate, which must be a boolean. A truthy value that is
 * not `true`, such as a promise or the −1 of `indexOf`, would admit every client.
 *
 * @param subject the start of the error message: names the predicate.
 * @throws {InvalidArgumentError} for anything but a boolean.
 */
export function verdictOf (answer: unknown, subject: string): boolean {
  if (typeof answer === 'boolean') return answer
  if (isThenable(answer)) ignoreResult(answer)
  throw new InvalidArgumentError(subject, 'a boolean', show(answer))
}

/** The default of optional callbacks. */
export function doNothing (): void {}
