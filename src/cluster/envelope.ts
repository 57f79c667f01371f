import type { Content } from '../protocol/outgoing-message.js'
import { isPlainObject } from '../util/plain-object.js'
import { isScalar } from '../util/scalar.js'
import type { Scalar } from '../api/time-socket.js'

/** What servers tell each other: one payload of a backplane. */
export type Envelope = Alive | Broadcast | Cancel

/** Who has sent it. */
export interface Identity {
  /** Names the time socket: the same on each server that has it. */
  readonly registration: string
  /** Names one time socket of one process, at random. */
  readonly origin: string
}

/** Who has sent it, and its place in the order. */
interface Sender extends Identity {
  /** Goes up by one with each broadcast and cancel of this origin, from 1. */
  readonly seq: number
}

/** A sign of life. Its `seq` is that of the origin's latest message, 0 before the first. */
export interface Alive extends Sender {
  readonly type: 'alive'
}

/** A broadcast, for the clients of all servers. */
export interface Broadcast extends Sender, Recipients {
  readonly type: 'broadcast'
  /** When it was sent: the origin's time, milliseconds since the Unix epoch. */
  readonly sent: number
  /** When it takes effect, likewise; undefined: at once. */
  readonly at?: number | undefined
  readonly key?: string | undefined
  readonly content: Content
}

/** Withdraws the pending broadcast of this key. */
export interface Cancel extends Sender {
  readonly type: 'cancel'
  readonly sent: number
  readonly key: string
}

/** Who gets a broadcast, as far as that can travel. */
export interface Recipients {
  readonly where?: Where | undefined
  readonly except?: readonly string[] | undefined
}

type Where = { readonly [field: string]: Scalar | readonly Scalar[] }

/** Of the format. Another one is for another version of this package. */
const VERSION = 1
const NEWLINE = 0x0a
/** The ends of what `Date` can express (ECMA-262, time values). */
const MAX_TIME_MS = 8.64e15

/** Writes the fields as a line of JSON, and behind it what the message consists of, as it is. */
export function encodeEnvelope (envelope: Envelope): Uint8Array {
  if (envelope.type !== 'broadcast') return encodeParts(envelope)
  const { content, ...fields } = envelope
  const body = content.kind === 'binary' ? content.bytes : content.text
  return encodeParts({ ...fields, kind: content.kind }, body)
}

/**
 * Reads what somebody has published: whatever it is.
 *
 * @returns undefined if it is no envelope of this version, whole and right.
 */
export function decodeEnvelope (payload: Uint8Array): Envelope | undefined {
  const end = payload.indexOf(NEWLINE)
  if (end === -1) return undefined
  try {
    const fields: unknown = JSON.parse(decodeText(payload.subarray(0, end)))
    return isPlainObject(fields) ? readEnvelope(fields, payload.subarray(end + 1)) : undefined
  } catch {
    // No UTF-8, no JSON, or nested too deeply.
    return undefined
  }
}

function encodeParts (fields: object, body: string | Uint8Array = ''): Uint8Array {
  const head = `${JSON.stringify({ v: VERSION, ...fields })}\n`
  if (typeof body === 'string') return Buffer.from(head + body)
  return Buffer.concat([Buffer.from(head), body])
}

/** Its own fields only: `JSON.parse` makes even `__proto__` one. */
function readEnvelope (fields: Fields, body: Uint8Array): Envelope | undefined {
  const { v, type, registration, origin, seq } = fields
  if (v !== VERSION || !isText(registration) || !isText(origin) || !isCount(seq)) return undefined
  const sender = { registration, origin, seq }
  if (type === 'alive') return { type, ...sender }
  if (seq === 0) return undefined
  if (type === 'cancel') return readCancel(sender, fields)
  return type === 'broadcast' ? readBroadcast(sender, fields, body) : undefined
}

function readCancel (sender: Sender, { sent, key }: Fields): Cancel | undefined {
  return isTime(sent) && isText(key) ? { type: 'cancel', ...sender, sent, key } : undefined
}

function readBroadcast (
  sender: Sender, { sent, where, except, at, key, kind }: Fields, body: Uint8Array
): Broadcast | undefined {
  if (!isTime(sent) || !isOptional(at, isTime) || !isOptional(key, isText)) return undefined
  if (!isOptional(where, isWhere) || !isOptional(except, isTexts)) return undefined
  const content = readBody(kind, body)
  if (content === undefined) return undefined
  return { type: 'broadcast', ...sender, sent, where, except, at, key, content }
}

/** @throws when it is no UTF-8, or no JSON where it has to be. */
function readBody (kind: unknown, body: Uint8Array): Content | undefined {
  if (kind === 'binary') return { kind, bytes: body }
  if (kind !== 'text' && kind !== 'json') return undefined
  const text = decodeText(body)
  // It becomes part of a larger JSON text.
  if (kind === 'json') JSON.parse(text)
  return { kind, text }
}

type Fields = Record<string, unknown>

function decodeText (bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

function isOptional<Value> (
  value: unknown, isValid: (value: unknown) => value is Value
): value is Value | undefined {
  return value === undefined || isValid(value)
}

function isText (value: unknown): value is string {
  return typeof value === 'string'
}

function isTexts (value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}

function isCount (value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_TIME_MS
}

function isWhere (value: unknown): value is Where {
  return isPlainObject(value) &&
    Object.values(value).every((wanted) => [wanted].flat().every(isScalar))
}
