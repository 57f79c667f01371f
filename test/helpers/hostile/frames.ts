/** Frames as a client writes them, and the parts that hostile ones are made of: RFC 6455 §5.2. */
export interface FrameParts {
  /** Default true. */
  fin?: boolean
  /** The three reserved bits, as a number from 0 to 7; 4 is RSV1. Default 0. */
  rsv?: number
  opcode: number
  payload?: string | Uint8Array
  /** The mask: four bytes; `false` for none. Default: zeros. */
  mask?: Uint8Array | false
  /** The length that the header claims. Default: that of the payload. */
  claims?: number | bigint
  /** How many bytes the length takes: 0, 2 or 8 after the first. Default: as few as possible. */
  lengthBytes?: 0 | 2 | 8
}

export const CONTINUATION = 0x0
export const TEXT = 0x1
export const BINARY = 0x2
export const CLOSE = 0x8
export const PING = 0x9
export const PONG = 0xa

/** Writes one frame, masked as any client's must be unless told otherwise. */
export function frame (parts: FrameParts): Buffer {
  const { fin = true, rsv = 0, opcode, mask = Buffer.alloc(4) } = parts
  const payload = Buffer.from(parts.payload as string ?? '')
  const { claims = payload.length, lengthBytes = sizeOf(claims) } = parts
  const first = (fin ? 0x80 : 0) | rsv << 4 | opcode
  const short = lengthBytes === 0 ? Number(claims) : lengthBytes === 2 ? 126 : 127
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(claims))
  return Buffer.concat([
    Buffer.of(first, short | (mask === false ? 0 : 0x80)),
    length.subarray(8 - lengthBytes),
    mask === false ? Buffer.alloc(0) : mask,
    mask === false ? payload : payload.map((byte, index) => byte ^ (mask[index % 4] as number))
  ])
}

/** A close frame with this code and reason. */
export function closeFrame (code: number, reason: string | Uint8Array = ''): Buffer {
  const payload = Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason as string)])
  return frame({ opcode: CLOSE, payload })
}

function sizeOf (length: number | bigint): 0 | 2 | 8 {
  if (length < 126) return 0
  return length < 0x10000 ? 2 : 8
}
