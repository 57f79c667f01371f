import type { Client } from './client.js'
import type { Clients } from './clients.js'
import { InvalidArgumentError } from './errors.js'
import type { FanOut } from './fan-out.js'
import { createMessage } from './message.js'
import type { Observer } from './observer.js'
import { isPlainObject } from './plain-object.js'
import { show } from './show.js'
import type { BroadcastOptions, Scalar } from './types.js'
import { verdictOf } from './verdict.js'

/** `TimeSocket.broadcast` as it is promised there. */
export type Broadcast<Context> = (data: unknown, options?: BroadcastOptions<Context>) => number

const FILTER_ANSWER = 'what the broadcast option "filter" returns'
const OPTIONS = ['where', 'except', 'filter', 'local']

export interface BroadcasterOptions<Context> {
  clients: Clients<Context>
  fanOut: FanOut<Context>
  observer: Observer<Context>
  /** Whether nobody is to get anything any more. */
  isClosed: () => boolean
}

export function createBroadcast<Context> (
  { clients, fanOut, observer, isClosed }: BroadcasterOptions<Context>
): Broadcast<Context> {
  return (data, options = {}) => {
    assertOptions(options)
    const message = createMessage(data)
    if (isClosed()) return 0
    const isChosen = createCondition(options)
    // Chosen before the first write: a filter that throws must find nothing sent.
    const recipients = [...clients.byId.values()]
      .filter((client) => client.isOpen && isChosen(client))
    fanOut.start({
      recipients,
      encode: message.encode,
      deliver (client, frame) { client.write(frame) },
      onEnd () {}
    })
    observer.broadcast(recipients.length)
    return recipients.length
  }
}

function createCondition<Context> (
  { where = {}, except = [], filter }: BroadcastOptions<Context>
): (client: Client<Context>) => boolean {
  const fields = Object.entries(where)
  const excepted = new Set(typeof except === 'string' ? [except] : except)
  return (client) => !excepted.has(client.id) &&
    fields.every(([field, wanted]) => hasField(client.context, field, wanted)) &&
    (filter === undefined || verdictOf(filter(client), FILTER_ANSWER))
}

function hasField (context: unknown, field: string, wanted: Scalar | readonly Scalar[]): boolean {
  const value = (context as Record<string, Scalar> | null | undefined)?.[field]
  return Array.isArray(wanted) ? wanted.includes(value) : value === wanted
}

function assertOptions (options: unknown): asserts options is BroadcastOptions<unknown> {
  assertThat(isPlainObject(options), 'the second argument of broadcast', 'a plain object', options)
  for (const name of Object.keys(options)) {
    assertThat(options[name] === undefined || OPTIONS.includes(name),
      `the broadcast option "${name}"`, `one of ${OPTIONS.join(', ')}`, options[name])
  }
  const { where, except, filter, local } = options
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
}

function assertThat (
  isFulfilled: boolean, argument: string, expected: string, received: unknown
): asserts isFulfilled {
  if (!isFulfilled) throw new InvalidArgumentError(argument, expected, show(received))
}

function isScalar (value: unknown): value is Scalar {
  return value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)
}
