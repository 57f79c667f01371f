import type { Client } from '../connections/client.js'
import type { BroadcastOptions, Scalar } from '../api/time-socket.js'
import { verdictOf } from '../util/callbacks.js'

/** Says whether a client is to get a message. Throws where a `filter` does. */
export type Condition<Context> = (client: Client<Context>) => boolean

const FILTER_ANSWER = 'what the broadcast option "filter" returns'

/** The condition of broadcasts to all. */
export const everybody = (): boolean => true

export function createCondition<Context> (
  { where = {}, except = [], filter }: BroadcastOptions<Context>
): Condition<Context> {
  const fields = Object.entries(where)
  const excepted = new Set(typeof except === 'string' ? [except] : except)
  if (fields.length === 0 && excepted.size === 0 && filter === undefined) return everybody
  return (client) => !excepted.has(client.id) &&
    fields.every(([field, wanted]) => hasField(client.context, field, wanted)) &&
    (filter === undefined || verdictOf(filter(client), FILTER_ANSWER))
}

function hasField (context: unknown, field: string, wanted: Scalar | readonly Scalar[]): boolean {
  const value = (context as Record<string, Scalar> | null | undefined)?.[field]
  return Array.isArray(wanted) ? wanted.includes(value) : value === wanted
}
