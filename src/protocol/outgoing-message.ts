import { Blob } from 'node:buffer'
import { types } from 'node:util'
import { InvalidArgumentError } from '../api/errors.js'
import { encodeFrame } from './frame.js'
import type { Frame } from './frame.js'
import { show } from '../util/values.js'
import { isThenable } from '../util/callbacks.js'
import { messageText } from './time-v1-text.js'
import type { Form, Stamp } from './time-v1-text.js'

/** One message, as it was when it was made. */
export interface Outgoing {
  /** Whether it is bytes: sent as they are in either form. */
  readonly binary: boolean
  /** The frame for those who take this form: encoded once, when somebody first does. */
  encode (form: Form): Frame
}

/** What a message consists of. */
export type Content =
  { readonly kind: 'binary', readonly bytes: Uint8Array } |
  /** A text as it is, or the JSON text of a value. */
  { readonly kind: 'text' | 'json', readonly text: string }

/**
 * @param stamp goes with the message in the form of `time.v1`.
 * @throws {InvalidArgumentError} when `data` is no string, bytes or JSON value.
 */
export function createMessage (data: unknown, stamp: Stamp = {}): Outgoing {
  return createOutgoing(readContent(data), stamp)
}

/** @param stamp goes with the message in the form of `time.v1`. */
export function createOutgoing (content: Content, stamp: Stamp = {}): Outgoing {
  if (content.kind === 'binary') {
    const frame = encodeFrame(content.bytes)
    return { binary: true, encode: () => frame }
  }
  const { kind, text } = content
  const frames: { [Name in Form]?: Frame } = {}
  const textIn = (form: Form) => form === 'plain'
    ? text
    : messageText(kind === 'text' ? JSON.stringify(text) : text, stamp)
  return { binary: false, encode: (form) => (frames[form] ??= encodeFrame(textIn(form))) }
}

/**
 * A string as text, bytes as such, and the JSON text of anything else.
 *
 * @throws {InvalidArgumentError} when it is none of these.
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
  const text: string | undefined = isLost(data) ? undefined : JSON.stringify(data)
  if (text === undefined) throw new TypeError('JSON has no text for it')
  return text
}

/** What JSON would silently make null or {} of, such as a promise that nobody awaited. */
function isLost (data: unknown): boolean {
  return (typeof data === 'number' && !Number.isFinite(data)) || isThenable(data) ||
    types.isMap(data) || types.isSet(data) || types.isRegExp(data) ||
    types.isNativeError(data) || data instanceof Blob
}
