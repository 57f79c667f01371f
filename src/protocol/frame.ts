/** RFC 6455 §5.2 opcode of a text message, whose payload is UTF-8. */
const TEXT = 0x1
/** RFC 6455 §5.2 opcode of a binary message. */
const BINARY = 0x2
/** RFC 6455 §5.5.2 opcode of a ping. */
const PING = 0x9
const FIN = 0x80
const LENGTH_16_BIT = 126
const LENGTH_64_BIT = 127
/** RFC 6455 §5.5: a control frame has a payload of at most 125 bytes, so its header has two. */
export const CONTROL_HEADER_BYTES = 2
/** RFC 6455 §5.3: the masking key that follows the header of each frame from a client. */
export const MASK_BYTES = 4

/** One message, encoded once and written to any number of clients. */
export interface Frame {
  /** The whole frame, header and payload, as it is sent. Never reused or changed. */
  readonly bytes: Buffer
  /** The payload alone: a view into `bytes`. */
  readonly payload: Buffer
  /** True for a binary message, false for text. */
  readonly binary: boolean
}

/** A ping, encoded once for any number of clients. */
export interface Ping {
  readonly bytes: Buffer
  /** Four bytes that the pong repeats: a number. */
  readonly payload: Buffer
}

/**
 * Encodes a text or binary message as one final, unmasked frame (RFC 6455 §5.2),
 * in one Buffer, so that a socket takes it in one write.
 */
export function encodeFrame (data: string | Uint8Array): Frame {
  const binary = typeof data !== 'string'
  const payloadBytes = binary ? data.byteLength : Buffer.byteLength(data)
  const headerBytes = payloadBytes < LENGTH_16_BIT ? 2 : payloadBytes < 0x10000 ? 4 : 10
  // Not pooled: a slow socket may hold these bytes for a long time.
  const bytes = Buffer.allocUnsafeSlow(headerBytes + payloadBytes)
  bytes[0] = FIN | (binary ? BINARY : TEXT)
  writeLength(bytes, payloadBytes)
  if (binary) bytes.set(data, headerBytes)
  else bytes.write(data, headerBytes)
  return { bytes, payload: bytes.subarray(headerBytes), binary }
}

/**
 * Encodes a ping (RFC 6455 §5.5.2).
 *
 * @param number up to 2³² − 1; higher bits are dropped.
 */
export function encodePing (number: number): Ping {
  const bytes = Buffer.allocUnsafeSlow(CONTROL_HEADER_BYTES + 4)
  bytes[0] = FIN | PING
  bytes[1] = 4
  bytes.writeUInt32BE(number >>> 0, CONTROL_HEADER_BYTES)
  return { bytes, payload: bytes.subarray(CONTROL_HEADER_BYTES) }
}

function writeLength (bytes: Buffer, payloadBytes: number): void {
  if (payloadBytes < LENGTH_16_BIT) {
    bytes[1] = payloadBytes
  } else if (payloadBytes < 0x10000) {
    bytes[1] = LENGTH_16_BIT
    bytes.writeUInt16BE(payloadBytes, 2)
  } else {
    bytes[1] = LENGTH_64_BIT
    bytes.writeBigUInt64BE(BigInt(payloadBytes), 2)
  }
}
