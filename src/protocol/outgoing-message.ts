import { Blob, constants } from 'node:buffer'
import { types } from 'node:util'
import { InvalidArgumentError } from '../api/errors.js'
import { encodeFrame } from './frame.js'
import type { Frame } from './frame.js'
import { isThenable, show } from '../util/values.js'
import { messageText } from './time-v1-text.js'
import type { DeliveryMetadata, WireFormat } from './time-v1-text.js'

/** One message. Later changes to the data do not affect the message. */
export interface Outgoing {
  /** True for bytes, which are the same in every wire format. */
  readonly binary: boolean
  /** The frame for clients with this wire format: encoded once, for the first of them. */
  encode (format: WireFormat): Frame
}

/** What a message consists of. */
export type Content =
  { readonly kind: 'binary', readonly bytes: Uint8Array } |
  /** A string, or the JSON text of any other value. */
  { readonly kind: 'text' | 'json', readonly text: string }

/**
 * A longer text may have no JSON text, because JSON escapes a character with up to six, and V8
 * limits the length of a string.
 */
const SURELY_ENCODABLE_LENGTH = constants.MAX_STRING_LENGTH / 8

/**
 * Creates a message from any value that can be sent.
 *
 * @param metadata is sent along to clients of `time.v1`.
 * @throws {InvalidArgumentError} if `data` is not a string, bytes or a JSON value.
 */
export function createMessage (data: unknown, metadata: DeliveryMetadata = {}): Outgoing {
  return createOutgoing(readContent(data), metadata)
}

/**
 * Creates a message from content.
 *
 * @param metadata is sent along to clients of `time.v1`.
 * @throws {InvalidArgumentError} if a text is so long that it cannot be encoded.
 */
export function createOutgoing (content: Content, metadata: DeliveryMetadata = {}): Outgoing {
  if (content.kind === 'binary') {
    const frame = encodeFrame(content.bytes)
    return { binary: true, encode: () => frame }
  }
  const { kind, text } = content
  const frames: { [Format in WireFormat]?: Frame } = {}
  const textIn = (format: WireFormat) => format === 'plain'
    ? text
    : messageText(kind === 'text' ? JSON.stringify(text) : text, metadata)
  const encode = (format: WireFormat) => (frames[format] ??= encodeFrame(textIn(format)))
  if (text.length > SURELY_ENCODABLE_LENGTH) assertEncodable(encode)
  return { binary: false, encode }
}

function assertEncodable (encode: (format: WireFormat) => Frame): void {
  try {
    encode('time')
  } catch (cause) {
    const expected = 'a text whose JSON text is no longer than a string can be'
    throw Object.assign(new InvalidArgumentError('the message', expected, 'a longer one'), { cause })
  }
}

/**
 * Reads data to be sent: a string as text, bytes as bytes, any other value as its JSON text.
 *
 * @throws {InvalidArgumentError} if `data` is none of these.
 */
export function readContent (data: unknown): Content {
  if (typeof data === 'string') return { kind: 'text', text: data }
  try {
    const bytes = toBytes(data)
    return bytes === undefined ? { kind: 'json', text: toJson(data) } : { kind: 'binary', bytes }
  } catch (cause) {
    const expected = 'a string, bytes or a JSON value'
    throw Object.assign(new InvalidArgumentError('the message', expected, show(data)), { cause })
  }
}

function toBytes (data: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  }
  return types.isAnyArrayBuffer(data) ? new Uint8Array(data) : undefined
}

function toJson (data: unknown): string {
  const text: string | undefined = isLostInJson(data) ? undefined : JSON.stringify(data)
  if (text === undefined) throw new TypeError('the value has no JSON text')
  return text
}

/** True for values that JSON silently turns into null or {}, such as a promise without `await`. */
function isLostInJson (data: unknown): boolean {
  return (typeof data === 'number' && !Number.isFinite(data)) || isThenable(data) ||
    types.isMap(data) || types.isSet(data) || types.isRegExp(data) ||
    types.isNativeError(data) || data instanceof Blob
}
