import { InvalidArgumentError } from '../api/errors.js'
import { show } from './values.js'

/** True for promises, also those of other libraries: whatever `await` would wait for. */
export function isThenable (value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Turns a thenable, whose `then` may misbehave, into a native promise. */
export async function adopt<Value> (thenable: Value): Promise<Awaited<Value>> {
  return await thenable
}

/** Ignores the result of a promise, a rejection included. */
export function disregard (thenable: PromiseLike<unknown>): void {
  adopt(thenable).catch(() => {})
}

/**
 * Reads the answer of an application's predicate, which must be a boolean. A truthy value that is
 * not `true` would let everybody pass: a promise, or the −1 of `indexOf`.
 *
 * @param subject the start of the error's sentence: what has answered.
 * @throws {InvalidArgumentError} for anything but a boolean.
 */
export function verdictOf (answer: unknown, subject: string): boolean {
  if (typeof answer === 'boolean') return answer
  if (isThenable(answer)) disregard(answer)
  throw new InvalidArgumentError(subject, 'a boolean', show(answer))
}

/** The default of optional callbacks. */
export function doNothing (): void {}
