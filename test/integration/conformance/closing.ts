import { CLOSE, closeFrame, frame, PING, TEXT } from '../../helpers/hostile/frames.js'
import { answered, failed, hex } from './frame-case.js'
import type { FrameCase } from './frame-case.js'

const GOOD = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999
]
const BAD = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
const LONGEST = 'x'.repeat(123)

/**
 * RFC 6455 §5.5.1, §7.1 and §7.4. The runner holds each that ends with a close frame to §7.1.1,
 * too: it is the server that ends TCP first.
 */
export const closing: readonly FrameCase[] = [
  // An endpoint "typically echoes" the code; without one there is none to echo.
  answered('5.5.1 and 7.1.5 an empty close frame is answered with an empty close frame',
    frame({ opcode: CLOSE }), 'close 1005'),
  failed('5.5.1 a close of one byte is a protocol error', 1002, frame({ opcode: CLOSE, payload: 'x' })),
  ...GOOD.map((code) => answered(`7.4 code ${code} may be sent, and is echoed`,
    closeFrame(code), `close ${code}`)),
  ...BAD.map((code) => failed(`7.4 code ${code} may not be sent: a protocol error`,
    1002, closeFrame(code))),
  answered('5.5.1 a reason is read, and ws echoes it',
    closeFrame(1000, 'bye'), 'close 1000 bye'),
  answered('5.5.1 a reason with non-ASCII characters', closeFrame(4000, 'grüß dich 🕰'),
    'close 4000 grüß dich 🕰'),
  answered('5.5.1 a reason of 123 bytes, the longest', closeFrame(1000, LONGEST),
    `close 1000 ${LONGEST}`),
  failed('5.5 a reason of 124 bytes is too long', 1002, closeFrame(1000, `${LONGEST}x`)),
  ...['ff', 'c080', 'eda080', 'f4908080', 'e282'].map((bytes) => failed(
    `5.5.1 and 8.1 a reason that is not UTF-8 fails the connection: ${bytes}`,
    1007, closeFrame(1000, hex(bytes))
  )),
  answered('5.5.1 a text after a close is ignored',
    [closeFrame(1000), frame({ opcode: TEXT, payload: 'x' })], 'close 1000'),
  answered('5.5.1 a ping after a close is not answered',
    [closeFrame(1000), frame({ opcode: PING, payload: 'x' })], 'close 1000'),
  answered('5.5.1 a second close is not answered',
    [closeFrame(1000), closeFrame(4000)], 'close 1000'),
  answered('7.1.7 bytes that are not a frame are ignored after a close',
    [closeFrame(1000), hex('ffffffffffff')], 'close 1000'),
  failed('7.1.7 nothing is read after the connection has failed',
    1002, [frame({ opcode: 3 }), frame({ opcode: TEXT, payload: 'x' })]),
  {
    ...answered('7.1.2 messages before a close are delivered',
      [frame({ opcode: TEXT, payload: 'a' }), frame({ opcode: PING }), closeFrame(1000)],
      'pong', 'close 1000'),
    messages: ['a']
  }
]
