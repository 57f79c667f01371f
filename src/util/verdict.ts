import { InvalidArgumentError } from '../api/errors.js'
import { show } from './show.js'
import { disregard, isThenable } from './thenable.js'

/**
 * What a predicate of the application's has decided. A promise is truthy whatever it resolves
 * to: taken for an answer, it would let everybody pass.
 *
 * @param subject what has answered, as the start of a sentence.
 * @throws {InvalidArgumentError} for a promise.
 */
export function verdictOf (answer: unknown, subject: string): boolean {
  if (!isThenable(answer)) return Boolean(answer)
  disregard(answer)
  throw new InvalidArgumentError(subject, 'a boolean', show(answer))
}
