import { isUtf8 } from 'node:buffer'
import type { Content } from '../protocol/outgoing-message.js'
import { isCount, isKey, readBroadcastFields } from './envelope.js'
import type { Broadcast, Cancel, Identity, Message, Sender } from './envelope.js'
import { isPlainObject, isTime } from '../util/values.js'

/**
 * Wire format 2: one payload carries the messages that a peer sent together, often one.
 * Numbers are little-endian; texts are UTF-8.
 *
 * - `uint8` 2, the version;
 * - `uint16` length and text of the registration, `uint16` length and text of the peer;
 * - `double` seq of the first message (each further one has the next), `double` sent;
 * - for each message: `uint32` length of the rest of the message; `uint8` kind; `uint32` length and
 *   JSON text of the fields, if the kind has the bit `HAS_FIELDS`; then the content, or the key of
 *   a cancel.
 *
 * Format 1 begins with `{`, so that the first byte tells the formats apart.
 */
export const BINARY_FORMAT = 2

/** The two low bits of the kind are an index into this list. */
const KINDS = ['text', 'json', 'binary', 'cancel'] as const
const KIND_BITS = 0b011
const HAS_FIELDS = 0b100

/** Bytes of the numbers that stand before a message: its length and its kind. */
const PREFIX_BYTES = 5
const UINT32_BYTES = 4
const DOUBLE_BYTES = 8

/**
 * Encodes the first bytes of every payload of this sender, by which a server recognizes its own
 * payloads.
 */
export function encodeSender ({ registration, peer }: Identity): Buffer {
  return Buffer.concat([Buffer.from([BINARY_FORMAT]), encodeName(registration), encodeName(peer)])
}

/** A message that is ready to be written into a pack. */
export interface PackedMessage {
  readonly kind: number
  /** JSON text; empty if the message has no fields. */
  readonly fields: string
  readonly body: string | Uint8Array
  /** How many bytes the message takes in a pack. */
  readonly length: number
}

/** Prepares a message for a pack. Copies bytes: the original may change afterwards. */
export function prepareMessage (message: Message): PackedMessage {
  if (message.type === 'cancel') return prepareParts(KINDS.indexOf('cancel'), '', message.key)
  const { where, except, at, key, content } = message
  const hasFields = [where, except?.[0], at, key].some((value) => value !== undefined)
  const fields = hasFields ? JSON.stringify({ where, except, at, key }) : ''
  const body = content.kind === 'binary' ? new Uint8Array(content.bytes) : content.text
  return prepareParts(KINDS.indexOf(content.kind), fields, body)
}

/**
 * Writes messages into one payload.
 *
 * @param sender the result of `encodeSender`.
 */
export function encodePack (
  sender: Uint8Array, seq: number, sent: number, messages: readonly PackedMessage[]
): Uint8Array {
  const headBytes = sender.length + 2 * DOUBLE_BYTES
  const output = Buffer.allocUnsafe(messages.reduce((sum, { length }) => sum + length, headBytes))
  output.set(sender)
  output.writeDoubleLE(seq, sender.length)
  let at = output.writeDoubleLE(sent, sender.length + DOUBLE_BYTES)
  for (const message of messages) at = writeMessage(output, message, at)
  return output
}

/**
 * Reads a payload that may contain anything.
 *
 * @returns undefined if any part of the payload is invalid.
 */
export function decodePack (payload: Uint8Array): readonly (Broadcast | Cancel)[] | undefined {
  const input = createInput(payload)
  try {
    if (input.byte() !== BINARY_FORMAT) return undefined
    const identity = { registration: input.name(), peer: input.name() }
    const [firstSeq, sent] = [input.double(), input.double()]
    const messages: (Broadcast | Cancel)[] = []
    for (let seq = firstSeq; input.remaining() > 0; seq++) {
      const message = readMessage({ ...identity, seq }, sent, input.block())
      if (message === undefined) return undefined
      messages.push(message)
    }
    return isTime(sent) ? messages : undefined
  } catch {
    // The payload ends too early, or is not UTF-8 or JSON where it must be.
    return undefined
  }
}

function encodeName (name: string): Buffer {
  const text = Buffer.from(name)
  const length = Buffer.allocUnsafe(2)
  length.writeUInt16LE(text.length)
  return Buffer.concat([length, text])
}

function prepareParts (kind: number, fields: string, body: string | Uint8Array): PackedMessage {
  const fieldBytes = fields === '' ? 0 : UINT32_BYTES + Buffer.byteLength(fields)
  return { kind, fields, body, length: PREFIX_BYTES + fieldBytes + Buffer.byteLength(body) }
}

/** @returns the index behind the message. */
function writeMessage (
  output: Buffer, { kind, fields, body, length }: PackedMessage, start: number
): number {
  output.writeUInt32LE(length - UINT32_BYTES, start)
  let at = output.writeUInt8(fields === '' ? kind : kind | HAS_FIELDS, start + UINT32_BYTES)
  if (fields !== '') {
    const fieldBytes = output.write(fields, at + UINT32_BYTES)
    at = output.writeUInt32LE(fieldBytes, at) + fieldBytes
  }
  if (typeof body === 'string') output.write(body, at)
  else output.set(body, at)
  return start + length
}

/** @throws if the bytes end too early, or are not UTF-8 or JSON where they must be. */
function readMessage (
  sender: Sender, sent: number, bytes: Buffer
): Broadcast | Cancel | undefined {
  if (!isCount(sender.seq) || sender.seq === 0) return undefined
  const input = createInput(bytes)
  const flags = input.byte()
  const kind = KINDS[flags & KIND_BITS]
  const fields: unknown = (flags & HAS_FIELDS) === 0 ? {} : JSON.parse(textOf(input.block()))
  const body = input.rest()
  const isKnown = flags <= (HAS_FIELDS | KIND_BITS)
  if (!isKnown || kind === undefined || !isPlainObject(fields)) return undefined
  if (kind === 'cancel') {
    const key = textOf(body)
    return isKey(key) ? { type: 'cancel', ...sender, sent, key } : undefined
  }
  const options = readBroadcastFields(fields)
  if (options === undefined) return undefined
  return { type: 'broadcast', ...sender, sent, ...options, content: readContent(kind, body) }
}

function readContent (kind: Content['kind'], body: Buffer): Content {
  if (kind === 'binary') return { kind, bytes: body }
  const text = textOf(body)
  // The text becomes part of a larger JSON text.
  if (kind === 'json') JSON.parse(text)
  return { kind, text }
}

function textOf (bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new TypeError('not UTF-8')
  return bytes.toString()
}

/** Reads values one after the other. Each method throws if the bytes end too early. */
function createInput (payload: Uint8Array) {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  let at = 0

  function skip (length: number): number {
    at += length
    if (at > bytes.length) throw new RangeError('the payload ends too early')
    return at - length
  }

  function readBytes (length: number): Buffer {
    const start = skip(length)
    return bytes.subarray(start, at)
  }

  return {
    remaining: () => bytes.length - at,
    byte: () => bytes.readUInt8(skip(1)),
    double: () => bytes.readDoubleLE(skip(DOUBLE_BYTES)),
    /** A text preceded by its length. */
    name: () => textOf(readBytes(bytes.readUInt16LE(skip(2)))),
    /** Bytes preceded by their length. */
    block: () => readBytes(bytes.readUInt32LE(skip(UINT32_BYTES))),
    rest: () => readBytes(bytes.length - at)
  }
}
