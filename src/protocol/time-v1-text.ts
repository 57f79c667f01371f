import { TIME_PROTOCOL } from './time-v1.js'
import type { HelloMessage, SyncReply, SyncRequest } from './time-v1.js'
import { SERVER_ID } from './server-id.js'
import type { Tick } from '../api/tick.js'

/** The form of what is sent: JSON texts of `time.v1` for those who speak it, else `plain`. */
export type Form = 'plain' | 'time'

/** What a client that speaks `time.v1` has sent, if it is of use. */
export type ClientText = SyncRequest | {
  readonly type: 'message'
  /** For `onMessage`: the string itself, or the JSON text of any other value. */
  readonly text: string
}

/** When a message takes effect, and what replaces or withdraws it until then. */
export interface Stamp {
  /** Milliseconds since the Unix epoch; undefined: on arrival. */
  readonly at?: number | undefined
  readonly key?: string | undefined
}

const MAX_ID = 2 ** 31 - 1

/** The form that a client takes which has agreed on this subprotocol. */
export function formOf (protocol: string): Form {
  return protocol === TIME_PROTOCOL ? 'time' : 'plain'
}

export function helloText ({ interval, clockSteps }: Omit<HelloMessage, 'type' | 'server'>): string {
  return `{"type":"hello","server":"${SERVER_ID}","interval":${interval},"clockSteps":${clockSteps}}`
}

export function tickText ({ seq, at, sent, interval, clockSteps }: Tick): string {
  const times = `"at":${toHundredths(at)},"sent":${toHundredths(sent)}`
  return `{"type":"tick","seq":${seq},${times},"interval":${interval},"clockSteps":${clockSteps}}`
}

export function syncText ({ id, at, hold, clockSteps }: Omit<SyncReply, 'type'>): string {
  const times = `"at":${toHundredths(at)},"hold":${toHundredths(hold)}`
  return `{"type":"sync","id":${id},${times},"clockSteps":${clockSteps}}`
}

/** @param json the JSON text of the data. */
export function messageText (json: string, { at, key }: Stamp): string {
  const due = at === undefined ? '' : `,"at":${toHundredths(at)}`
  const name = key === undefined ? '' : `,"key":${JSON.stringify(key)}`
  return `{"type":"message","data":${json}${due}${name}}`
}

export function cancelText (key: string): string {
  return `{"type":"cancel","key":${JSON.stringify(key)}}`
}

/** At most two decimals. */
export function toHundredths (ms: number): number {
  return Math.round(ms * 100) / 100
}

/**
 * Reads what a client has sent: whatever it likes.
 *
 * @returns undefined if that is of no use here: no JSON, of an unknown type, or without what its
 * type needs. Fields that are unknown do not matter.
 */
export function readClientText (text: string): ClientText | undefined {
  try {
    const message: unknown = JSON.parse(text)
    if (!isObject(message)) return undefined
    if (message.type === 'sync') return readSync(message)
    if (message.type === 'message') return readMessage(message)
  } catch {
    // No JSON, or none that could be handed on.
  }
  return undefined
}

function readSync ({ id }: Record<string, unknown>): ClientText | undefined {
  const isId = Number.isInteger(id) && Number(id) >= 0 && Number(id) <= MAX_ID
  return isId ? { type: 'sync', id: Number(id) } : undefined
}

/** @throws if the data cannot be written as JSON again, such as 1e999, or arrays without end. */
function readMessage (message: Record<string, unknown>): ClientText | undefined {
  const { data } = message
  if (!Object.hasOwn(message, 'data')) return undefined
  const text = typeof data === 'string' ? data : JSON.stringify(data, refuseInfinity)
  return { type: 'message', text }
}

function refuseInfinity (_name: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new RangeError('no number of JSON')
  return value
}

/** Its own fields only: `JSON.parse` makes even `__proto__` one. */
function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
