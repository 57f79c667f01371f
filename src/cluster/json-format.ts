import type { Content } from '../protocol/outgoing-message.js'
import { isCount, isKey, isText, readBroadcastFields } from './envelope.js'
import type { Alive, Broadcast, Cancel, Envelope, Sender } from './envelope.js'
import { isPlainObject, isTime } from '../util/values.js'

/**
 * Wire format 1: a line of JSON, and behind it what the message consists of, as it is. One payload
 * carries one envelope. Signs of life have this format for good, so that every version of this
 * package can read who is there. On the wire the peer is called `origin`.
 */
export const JSON_FORMAT = 1

const NEWLINE = 0x0a

type Fields = Record<string, unknown>

export function encodeJson (envelope: Envelope): Uint8Array {
  if (envelope.type !== 'broadcast') return encodeParts(envelope)
  const { content, ...others } = envelope
  const fields = { ...others, kind: content.kind }
  return encodeParts(fields, content.kind === 'binary' ? content.bytes : content.text)
}

/**
 * Reads a payload, whatever somebody has put into it.
 *
 * @returns undefined if it is no valid envelope of this format.
 */
export function decodeJson (payload: Uint8Array): Envelope | undefined {
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

function encodeParts ({ peer, ...fields }: Sender, body: string | Uint8Array = ''): Uint8Array {
  const head = `${JSON.stringify({ v: JSON_FORMAT, origin: peer, ...fields })}\n`
  if (typeof body === 'string') return Buffer.from(head + body)
  return Buffer.concat([Buffer.from(head), body])
}

/** Takes the object's own fields only: `JSON.parse` makes even `__proto__` one. */
function readEnvelope (fields: Fields, body: Uint8Array): Envelope | undefined {
  const { v, type, registration, origin: peer, seq } = fields
  if (v !== JSON_FORMAT || !isText(registration) || !isText(peer) || !isCount(seq)) return undefined
  const sender = { registration, peer, seq }
  if (type === 'alive') return readAlive(sender, fields)
  if (seq === 0) return undefined
  if (type === 'cancel') return readCancel(sender, fields)
  return type === 'broadcast' ? readBroadcast(sender, fields, body) : undefined
}

/** The first version of this package did not say what it reads. */
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

/** @throws when it is no UTF-8, or no JSON where it has to be. */
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
