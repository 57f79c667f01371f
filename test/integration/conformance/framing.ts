import { BINARY, CLOSE, frame, PING, PONG, TEXT } from '../../helpers/hostile/frames.js'
import { answered, failed, hex, taken } from './frame-case.js'
import type { FrameCase } from './frame-case.js'

const OPCODES = { text: TEXT, binary: BINARY, ping: PING, pong: PONG, close: CLOSE }
const RESERVED = [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf]
const LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536]

/** RFC 6455 §5.1: a client masks every frame. */
export const masking: readonly FrameCase[] = Object.entries(OPCODES).map(([name, opcode]) =>
  failed(`5.1 a ${name} frame without a mask is a protocol error`, 1002,
    frame({ opcode, mask: false, payload: opcode === CLOSE ? hex('03e8') : 'x' })))

/** RFC 6455 §5.2: the base framing protocol. */
export const framing: readonly FrameCase[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv) => failed(
    `5.2 reserved bits ${rsv.toString(2).padStart(3, '0')} without an extension fail the connection`,
    1002, frame({ opcode: TEXT, rsv, payload: 'x' })
  )),
  ...[PING, PONG, CLOSE].map((opcode) => failed(
    `5.2 a reserved bit in a frame of opcode ${opcode} fails the connection`,
    1002, frame({ opcode, rsv: 4 })
  )),
  ...RESERVED.map((opcode) => failed(
    `5.2 opcode 0x${opcode.toString(16)}, which is reserved, fails the connection`,
    1002, frame({ opcode })
  )),
  ...LENGTHS.map((length) => {
    const text = 'x'.repeat(length)
    return taken(`5.2 a text of ${length} bytes`, frame({ opcode: TEXT, payload: text }), text)
  }),
  ...LENGTHS.map((length) => {
    const payload = Buffer.alloc(length, 0xfe)
    return taken(`5.2 ${length} bytes of binary`, frame({ opcode: BINARY, payload }), payload)
  }),
  // "The minimal number of bytes MUST be used", by whoever writes; nobody has to refuse others.
  taken('5.2 a length of 5 in two bytes is not minimal, but may be read',
    frame({ opcode: TEXT, payload: 'hello', lengthBytes: 2 }), 'hello'),
  taken('5.2 a length of 5 in eight bytes is not minimal, but may be read',
    frame({ opcode: TEXT, payload: 'hello', lengthBytes: 8 }), 'hello'),
  taken('5.2 a length of 300 in eight bytes is not minimal, but may be read',
    frame({ opcode: TEXT, payload: 'x'.repeat(300), lengthBytes: 8 }), 'x'.repeat(300)),
  failed('5.2 and 5.5 a ping with a length in two bytes that fits in one is refused',
    1002, frame({ opcode: PING, payload: 'x', lengthBytes: 2 })),
  // The RFC names no code for it.
  failed('5.2 a length of 2^63, whose first bit must be 0, is refused: ws reports that the frame is too large',
    1009, frame({ opcode: BINARY, claims: 2n ** 63n, lengthBytes: 8 })),
  failed('5.2 and 7.4.1 a length of 2^63 - 1 is too large',
    1009, frame({ opcode: BINARY, claims: 2n ** 63n - 1n, lengthBytes: 8 })),
  answered('5.2 and 7.4.1 a message larger than the limit is too large',
    frame({ opcode: BINARY, payload: Buffer.alloc(70_001) }), 'close 1009 message too large')
]

/** RFC 6455 §5.3: client-to-server masking. */
export const masks: readonly FrameCase[] = [
  taken('5.3 a mask of zeros', frame({ opcode: TEXT, payload: 'hello' }), 'hello'),
  taken('5.3 a mask of ones', frame({ opcode: TEXT, payload: 'hello', mask: hex('ffffffff') }), 'hello'),
  ...[1, 2, 3, 4, 5, 7, 8, 9].map((length) => {
    const text = 'abcdefghi'.slice(0, length)
    return taken(`5.3 byte i is masked with byte i mod 4, in a message of ${length} bytes`,
      frame({ opcode: TEXT, payload: text, mask: hex('01020408') }), text)
  }),
  taken('5.3 each frame has a mask of its own', [
    frame({ opcode: TEXT, fin: false, payload: 'hel', mask: hex('37fa213d') }),
    frame({ opcode: 0, payload: 'lo', mask: hex('deadbeef') })
  ], 'hello'),
  taken('5.3 and 5.7 the example of a masked text', hex('818537fa213d7f9f4d5158'), 'Hello'),
  answered('5.3 and 5.7 the example of a masked ping, which is answered',
    hex('898537fa213d7f9f4d5158'), 'pong Hello')
]
