import { InvalidArgumentError } from '../api/errors.js'
import type { BroadcastOptions, Scalar } from '../api/time-socket.js'
import type { Client } from '../connections/client.js'
import type { FailureLog } from '../observability/failure-log.js'
import { isPlainObject, isScalar, readMoment, show, verdictOf } from '../util/values.js'

const OPTIONS = ['where', 'except', 'filter', 'local', 'at', 'key']
/** How far ahead a broadcast may be scheduled: 24 days. */
const MAX_AHEAD_MS = 24 * 86_400_000
const FILTER_RESULT = 'the result of the broadcast option "filter"'

/** Returns true if a client gets a message. Throws if the `filter` throws. */
export type Condition<Context> = (client: Client<Context>) => boolean

/** The condition of broadcasts to all clients. */
export const everyClient = (): boolean => true

/**
 * Checks all options, except how far ahead `at` is.
 *
 * @returns a copy with only the own fields of `given`: a polluted prototype has no effect.
 * @throws {InvalidArgumentError} for the first option that is unknown or of the wrong type.
 */
export function readBroadcastOptions<Context> (given: unknown): BroadcastOptions<Context> {
  assertThat(isPlainObject(given), 'the second argument of broadcast', 'a plain object', given)
  const options: Record<string, unknown> = Object.assign(Object.create(null), given)
  for (const name of Object.keys(options)) {
    assertThat(options[name] === undefined || OPTIONS.includes(name),
      `the broadcast option "${name}"`, `one of ${OPTIONS.join(', ')}`, options[name])
  }
  const { where, except, filter, local, key } = options
  assertWhere(where)
  assertThat(except === undefined || [except].flat().every((id) => typeof id === 'string'),
    'the broadcast option "except"', 'a client id or an array of client ids', except)
  assertThat(filter === undefined || typeof filter === 'function',
    'the broadcast option "filter"', 'a function', filter)
  assertThat(local === undefined || typeof local === 'boolean',
    'the broadcast option "local"', 'a boolean', local)
  if (key !== undefined) assertKey(key, 'the broadcast option "key"')
  return options
}

function assertWhere (where: unknown): void {
  assertThat(where === undefined || isPlainObject(where),
    'the broadcast option "where"', 'a plain object', where)
  for (const [field, wanted] of Object.entries(where ?? {})) {
    assertThat([wanted].flat().every(isScalar), `the broadcast option "where.${field}"`,
      'a string, a finite number, a boolean or null, or an array of these', wanted)
  }
}

/**
 * Reads when a broadcast takes effect.
 *
 * @param now returns the server's time; called only if `at` is given.
 * @param toleranceMs milliseconds beyond 24 days that are still accepted. Default 0.
 * @returns milliseconds since the Unix epoch, possibly in the past; undefined for at once.
 * @throws {InvalidArgumentError} if `at` is not a valid date, or is too far ahead.
 */
export function readAt (
  at: unknown, now: () => number, toleranceMs: number = 0
): number | undefined {
  if (at === undefined) return undefined
  const atMs = readMoment(at)
  assertThat(atMs !== undefined && atMs <= now() + MAX_AHEAD_MS + toleranceMs,
    'the broadcast option "at"', 'a Date or milliseconds since the Unix epoch, at most 24 days ahead', at)
  return atMs
}

/** @param argument names the key in the error, as the start of a sentence. */
export function assertKey (key: unknown, argument: string): asserts key is string {
  assertThat(typeof key === 'string' && key !== '', argument, 'a string that is not empty', key)
}

function assertThat (
  isFulfilled: boolean, argument: string, expected: string, received: unknown
): asserts isFulfilled {
  if (!isFulfilled) throw new InvalidArgumentError(argument, expected, show(received))
}

/**
 * Creates the condition that decides which clients get a broadcast.
 *
 * @param contextLog logs that a client's `context` cannot be read because a getter throws. That
 * client does not get the message.
 */
export function createCondition<Context> (
  { where = {}, except = [], filter }: BroadcastOptions<Context>, contextLog: FailureLog
): Condition<Context> {
  const fields = Object.entries(where)
  const excepted = new Set(typeof except === 'string' ? [except] : except)
  if (fields.length === 0 && excepted.size === 0 && filter === undefined) return everyClient
  return (client) => !excepted.has(client.id) &&
    hasFields(client, fields as Field[], contextLog) &&
    (filter === undefined || verdictOf(filter(client), FILTER_RESULT))
}

type Field = [name: string, wanted: Scalar | readonly Scalar[]]

function hasFields<Context> (
  { id, context }: Client<Context>, fields: readonly Field[], failureLog: FailureLog
): boolean {
  try {
    return fields.every(([name, wanted]) => {
      const value = (context as Record<string, Scalar> | null | undefined)?.[name]
      return Array.isArray(wanted) ? wanted.includes(value) : value === wanted
    })
  } catch (err) {
    failureLog.failed(err, { id })
    return false
  }
}
