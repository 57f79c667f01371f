import { Blob } from 'node:buffer'
import { types } from 'node:util'
import { InvalidArgumentError } from './errors.js'
import { encodeFrame } from './frame.js'
import type { Frame } from './frame.js'
import { show } from './show.js'
import { isThenable } from './thenable.js'

/** What a JSON text can express (RFC 8259). */
export type Json =
  string | number | boolean | null | readonly Json[] |
  { readonly [key: string]: Json | undefined }

/**
 * One message to clients: a string is sent as text as it is, bytes as a binary
 * message, any other JSON value as its JSON text.
 */
export type Message = Json | ArrayBuffer | ArrayBufferView

/** @throws {InvalidArgumentError} when `data` is none of the three. */
export function encodeMessage (data: unknown): Frame {
  if (typeof data === 'string') return encodeFrame(data)
  try {
    return encodeFrame(toBytes(data) ?? toJson(data))
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
