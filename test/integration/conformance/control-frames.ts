import { CLOSE, CONTINUATION, frame, PING, PONG } from '../../helpers/hostile/frames.js'
import { answered, failed, taken } from './frame-case.js'
import type { FrameCase } from './frame-case.js'

const LONGEST = 'x'.repeat(125)
const MANY = Array.from({ length: 50 }, (_, index) => String(index))
const CONTROL = { ping: PING, pong: PONG, close: CLOSE }

/** RFC 6455 §5.5, without §5.5.1: pings, pongs, and what holds for all control frames. */
export const controlFrames: readonly FrameCase[] = [
  answered('5.5.2 a ping without payload', frame({ opcode: PING }), 'pong'),
  answered('5.5.3 a ping of one byte is echoed', frame({ opcode: PING, payload: 'x' }), 'pong x'),
  answered('5.5.3 a ping of 125 bytes is echoed',
    frame({ opcode: PING, payload: LONGEST }), `pong ${LONGEST}`),
  answered('5.5.3 the payload of a ping is bytes, and need not be UTF-8',
    frame({ opcode: PING, payload: Buffer.of(0xff, 0xc0) }), 'pong \xff\xc0'),
  answered('5.5.3 the payload is echoed without the mask', frame({
    opcode: PING, payload: 'hello', mask: Buffer.of(1, 2, 3, 4)
  }), 'pong hello'),
  // At once. Once 60 answers wait to be written, ws ends the connection: they are from a flood.
  answered('5.5.3 fifty pings are answered in order',
    MANY.map((payload) => frame({ opcode: PING, payload })),
    ...MANY.map((payload) => `pong ${payload}`)),
  taken('5.5.3 an unsolicited pong', frame({ opcode: PONG })),
  taken('5.5.3 an unsolicited pong of 125 bytes', frame({ opcode: PONG, payload: LONGEST })),
  taken('5.5.3 fifty pongs', MANY.map((payload) => frame({ opcode: PONG, payload }))),
  ...Object.entries(CONTROL).flatMap(([name, opcode]) => [
    failed(`5.5 a ${name} of 126 bytes fails the connection`,
      1002, frame({ opcode, payload: 'x'.repeat(126) })),
    failed(`5.5 a ${name} of 65 536 bytes fails the connection`,
      1002, frame({ opcode, payload: Buffer.alloc(65_536) })),
    failed(`5.5 a ${name} in fragments fails the connection`,
      1002, [frame({ opcode, fin: false }), frame({ opcode: CONTINUATION })])
  ])
]
