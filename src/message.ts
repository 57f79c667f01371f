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
  if (ArrayBuffer.isView(data)) {
    return encodeFrame(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  if (data instanceof ArrayBuffer) return encodeFrame(new Uint8Array(data))
  return encodeFrame(toJson(data))
}

function toJson (data: unknown): string {
  try {
    // JSON would silently make null of NaN, and {} of a promise that somebody forgot to await.
    const isLost = isThenable(data) || (typeof data === 'number' && !Number.isFinite(data))
    const text: string | undefined = isLost ? undefined : JSON.stringify(data)
    if (text !== undefined) return text
  } catch (err) {
    throw Object.assign(unsendable(data), { cause: err })
  }
  throw unsendable(data)
}

function unsendable (data: unknown): Error {
  return new InvalidArgumentError('the message', 'a string, bytes or a JSON value', show(data))
}
