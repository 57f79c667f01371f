import type { Content } from '../protocol/outgoing-message.js'
import { isCount, isKey, isText, readBroadcastFields } from './envelope.js'
import type { Alive, Broadcast, Cancel, Envelope, Sender } from './envelope.js'
import { isPlainObject, isTime } from '../util/values.js'

/**
 * Wire format 1: a line of JSON, followed by the unchanged content of the message. One payload
 * carries one envelope. Alive messages keep this format permanently, so that every version of this
 * package can read them. On the wire, the peer is called `origin`.
 */
const JSON_FORMAT = 1

const NEWLINE = 0x0a

type Fields = Record<string, unknown>

export function encodeJson (envelope: Envelope): Uint8Array {
  if (envelope.type !== 'broadcast') return encodeParts(envelope)
  const { content, ...others } = envelope
  const fields = { ...others, kind: content.kind }
  return encodeParts(fields, content.kind === 'binary' ? content.bytes : content.text)
}

/**
 * Reads a payload that may contain anything.
 *
 * @returns undefined if the payload is not a valid envelope of this format.
 */
export function decodeJson (payload: Uint8Array): Envelope | undefined {
  const end = payload.indexOf(NEWLINE)
  if (end === -1) return undefined
  try {
    const fields: unknown = JSON.parse(decodeText(payload.subarray(0, end)))
    return isPlainObject(fields) ? readEnvelope(fields, payload.subarray(end + 1)) : undefined
  } catch {
    // Not UTF-8, not JSON, or nested too deeply.
    return undefined
  }
}

function encodeParts ({ peer, ...fields }: Sender, body: string | Uint8Array = ''): Uint8Array {
  const head = `${JSON.stringify({ v: JSON_FORMAT, origin: peer, ...fields })}\n`
  if (typeof body === 'string') return Buffer.from(head + body)
  return Buffer.concat([Buffer.from(head), body])
}

/** Reads only the object's own fields. `JSON.parse` makes even `__proto__` an own field. */
function readEnvelope (fields: Fields, body: Uint8Array): Envelope | undefined {
  const { v, type, registration, origin: peer, seq } = fields
  if (v !== JSON_FORMAT || !isText(registration) || !isText(peer) || !isCount(seq)) return undefined
  const sender = { registration, peer, seq }
  if (type === 'alive') return readAlive(sender, fields)
  if (seq === 0) return undefined
  if (type === 'cancel') return readCancel(sender, fields)
  return type === 'broadcast' ? readBroadcast(sender, fields, body) : undefined
}

/** A peer that does not send `reads` reads format 1 only. */
function readAlive (sender: Sender, { reads = JSON_FORMAT }: Fields): Alive | undefined {
  return isCount(reads) ? { type: 'alive', ...sender, reads } : undefined
}

function readCancel (sender: Sender, { sent, key }: Fields): Cancel | undefined {
  return isTime(sent) && isKey(key) ? { type: 'cancel', ...sender, sent, key } : undefined
}

function readBroadcast (
  sender: Sender, { sent, kind, ...others }: Fields, body: Uint8Array
): Broadcast | undefined {
  const fields = readBroadcastFields(others)
  if (!isTime(sent) || fields === undefined) return undefined
  const content = readBody(kind, body)
  if (content === undefined) return undefined
  return { type: 'broadcast', ...sender, sent, ...fields, content }
}

/** @throws if the body is not UTF-8, or not JSON where it must be. */
function readBody (kind: unknown, body: Uint8Array): Content | undefined {
  if (kind === 'binary') return { kind, bytes: body }
  if (kind !== 'text' && kind !== 'json') return undefined
  const text = decodeText(body)
  // The text becomes part of a larger JSON text.
  if (kind === 'json') JSON.parse(text)
  return { kind, text }
}

function decodeText (bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}
