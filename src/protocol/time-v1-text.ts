import { randomInt } from 'node:crypto'
import type { Tick } from '../api/content.js'
import { TIME_PROTOCOL } from './time-v1.js'
import type { HelloMessage, SyncReply, SyncRequest } from './time-v1.js'

/** The format of messages to a client: `time` if the client speaks `time.v1`, else `plain`. */
export type WireFormat = 'plain' | 'time'

/** A message of a client that speaks `time.v1`. */
export type ClientText = SyncRequest | {
  readonly type: 'message'
  /** For `onMessage`: the string itself, or the JSON text of any other value. */
  readonly text: string
}

/** What a message of `time.v1` contains besides its data. */
export interface DeliveryMetadata {
  /** When the message takes effect: milliseconds since the Unix epoch; undefined: on arrival. */
  readonly at?: number | undefined
  /**
   * While the message is pending, a later message with this key replaces it, and `cancel` withdraws
   * it.
   */
  readonly key?: string | undefined
}

/** The random id of this process: eight letters and digits. */
export const SERVER_ID = randomInt(36 ** 8).toString(36).padStart(8, '0')

const MAX_ID = 2 ** 31 - 1

/** The wire format of a client that has agreed on this subprotocol. */
export function wireFormatFor (protocol: string): WireFormat {
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

/** @param json the JSON text of the data. It is not checked. */
export function messageText (json: string, { at, key }: DeliveryMetadata): string {
  const due = at === undefined ? '' : `,"at":${toHundredths(at)}`
  const name = key === undefined ? '' : `,"key":${JSON.stringify(key)}`
  return `{"type":"message","data":${json}${due}${name}}`
}

export function cancelText (key: string): string {
  return `{"type":"cancel","key":${JSON.stringify(key)}}`
}

/** Rounds to two decimals. */
export function toHundredths (ms: number): number {
  return Math.round(ms * 100) / 100
}

/**
 * Reads a message of a client.
 *
 * @returns undefined if the text is not JSON, has an unknown type, or lacks a field of its type.
 * Unknown fields are ignored.
 */
export function readClientText (text: string): ClientText | undefined {
  try {
    const message: unknown = JSON.parse(text)
    if (!isObject(message)) return undefined
    if (message.type === 'sync') return readSync(message)
    if (message.type === 'message') return readMessage(message)
  } catch {
    // Not JSON, or data that has no JSON text.
  }
  return undefined
}

function readSync ({ id }: Record<string, unknown>): ClientText | undefined {
  const isId = Number.isInteger(id) && Number(id) >= 0 && Number(id) <= MAX_ID
  return isId ? { type: 'sync', id: Number(id) } : undefined
}

/** @throws if the data cannot be written as JSON again: 1e999, or very deeply nested arrays. */
function readMessage (message: Record<string, unknown>): ClientText | undefined {
  const { data } = message
  if (!Object.hasOwn(message, 'data')) return undefined
  const text = typeof data === 'string' ? data : JSON.stringify(data, refuseInfinity)
  return { type: 'message', text }
}

function refuseInfinity (_name: string, value: unknown): unknown {
  if (value === Infinity || value === -Infinity) throw new RangeError('JSON has no Infinity')
  return value
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
