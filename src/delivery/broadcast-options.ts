import { InvalidArgumentError } from '../api/errors.js'
import { isPlainObject, isScalar, readMoment, show } from '../util/values.js'
import type { BroadcastOptions } from '../api/time-socket.js'

const OPTIONS = ['where', 'except', 'filter', 'local', 'at', 'key']
/** How far ahead a broadcast may be scheduled: 24 days. */
const MAX_AHEAD_MS = 24 * 86_400_000

/** @throws {InvalidArgumentError} for whatever is none, `at` but for how far ahead it is. */
export function assertOptions (options: unknown): asserts options is BroadcastOptions<unknown> {
  assertThat(isPlainObject(options), 'the second argument of broadcast', 'a plain object', options)
  for (const name of Object.keys(options)) {
    assertThat(options[name] === undefined || OPTIONS.includes(name),
      `the broadcast option "${name}"`, `one of ${OPTIONS.join(', ')}`, options[name])
  }
  const { where, except, filter, local, key } = options
  assertThat(where === undefined || isPlainObject(where),
    'the broadcast option "where"', 'a plain object', where)
  for (const [field, wanted] of Object.entries(where ?? {})) {
    assertThat([wanted].flat().every(isScalar), `the broadcast option "where.${field}"`,
      'a string, a finite number, a boolean or null, or an array of these', wanted)
  }
  assertThat(except === undefined || [except].flat().every((id) => typeof id === 'string'),
    'the broadcast option "except"', 'a client id or an array of client ids', except)
  assertThat(filter === undefined || typeof filter === 'function',
    'the broadcast option "filter"', 'a function', filter)
  assertThat(local === undefined || typeof local === 'boolean',
    'the broadcast option "local"', 'a boolean', local)
  if (key !== undefined) assertKey(key, 'the broadcast option "key"')
}

/**
 * Reads when a broadcast takes effect.
 *
 * @param now the server's time: not read if `at` is undefined.
 * @returns milliseconds since the Unix epoch, possibly past; undefined: at once.
 * @throws {InvalidArgumentError} when it is no moment, or too far ahead.
 */
export function readAt (at: unknown, now: () => number): number | undefined {
  if (at === undefined) return undefined
  const atMs = readMoment(at)
  assertThat(atMs !== undefined && atMs <= now() + MAX_AHEAD_MS, 'the broadcast option "at"',
    'a Date or milliseconds since the Unix epoch, at most 24 days ahead', at)
  return atMs
}

/** @param argument names it, as the start of a sentence. */
export function assertKey (key: unknown, argument: string): asserts key is string {
  assertThat(typeof key === 'string' && key !== '', argument, 'a string that is not empty', key)
}

function assertThat (
  isFulfilled: boolean, argument: string, expected: string, received: unknown
): asserts isFulfilled {
  if (!isFulfilled) throw new InvalidArgumentError(argument, expected, show(received))
}
