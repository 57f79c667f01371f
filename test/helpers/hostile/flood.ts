import { deflateRawSync } from 'node:zlib'
import { BINARY, CONTINUATION, frame, PING, PONG, TEXT } from './frames.js'

/** What one hostile client sends on and on, without looking at what it is told. */
export interface Flood {
  /** Sent over and over. */
  readonly bytes: Buffer
  readonly repeats: number
  /** Sent once, before them. */
  readonly first?: Buffer
  /** Whether it reads what comes. Default true. */
  readonly reads?: boolean
  /** Whether it asks for permessage-deflate. Default false. */
  readonly deflate?: boolean
}

export type FloodName = keyof typeof FLOODS

const MIB = 1024 * 1024
const MESSAGE = frame({ opcode: TEXT, payload: 'more' })
const LARGE_PING = frame({ opcode: PING, payload: 'p'.repeat(125) })

/** A compressed message of this many zeros. */
function bomb (length: number): Buffer {
  return frame({ opcode: BINARY, rsv: 4, payload: deflate(Buffer.alloc(length)) })
}

/** As RFC 7692 §7.2.1 has it: without the empty block at the end. */
function deflate (payload: Buffer): Buffer {
  return deflateRawSync(payload, { finishFlush: 2 }).subarray(0, -4)
}

/** Each a function: a bomb takes half a second to make. */
export const FLOODS = {
  'small messages': () => ({ bytes: repeat(MESSAGE, 1000), repeats: 50 }),
  'pings whose pongs are read': () => ({ bytes: repeat(LARGE_PING, 1000), repeats: 50 }),
  'pings whose pongs are never read': () => ({
    bytes: repeat(LARGE_PING, 1000), repeats: 50, reads: false
  }),
  'unsolicited pongs': () => ({
    bytes: repeat(frame({ opcode: PONG }), 1000), repeats: 50
  }),
  'messages of 64 KiB': () => ({
    bytes: frame({ opcode: BINARY, payload: Buffer.alloc(65_536) }), repeats: 500
  }),
  'one message of 1 GiB': () => ({
    first: frame({ opcode: BINARY, claims: 2 ** 30 }), bytes: Buffer.alloc(MIB), repeats: 64
  }),
  'one message in endless fragments': () => ({
    first: frame({ opcode: TEXT, fin: false }),
    bytes: repeat(frame({ opcode: CONTINUATION, fin: false, payload: 'x' }), 1000),
    repeats: 50
  }),
  'bombs that inflate to 100 MiB': () => ({ bytes: bomb(100 * MIB), repeats: 50, deflate: true }),
  'bombs that inflate to 1 MiB': () => ({
    bytes: repeat(bomb(MIB), 10), repeats: 50, deflate: true
  })
} satisfies Record<string, () => Flood>

function repeat (bytes: Buffer, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes))
}
