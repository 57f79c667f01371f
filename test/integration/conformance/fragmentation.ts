import { BINARY, CONTINUATION, frame, PING, PONG, TEXT } from '../../helpers/hostile/frames.js'
import { answered, failed, fragments, taken } from './frame-case.js'
import type { FrameCase } from './frame-case.js'

const MANY = Array.from({ length: 200 }, (_, index) => `${index} `)
const START = frame({ opcode: TEXT, fin: false, payload: 'hel' })
const END = frame({ opcode: CONTINUATION, payload: 'lo' })
const PING_BETWEEN = frame({ opcode: PING, payload: 'between' })

/** RFC 6455 §5.4: fragmentation. */
export const fragmentation: readonly FrameCase[] = [
  taken('5.4 a text in two fragments', fragments(TEXT, ['hel', 'lo']), 'hello'),
  taken('5.4 a text in three fragments', fragments(TEXT, ['h', 'el', 'lo']), 'hello'),
  taken('5.4 a text in 200 fragments', fragments(TEXT, MANY), MANY.join('')),
  taken('5.4 binary in two fragments', fragments(BINARY, ['hel', 'lo']), Buffer.from('hello')),
  taken('5.4 binary in three fragments', fragments(BINARY, ['h', 'el', 'lo']), Buffer.from('hello')),
  taken('5.4 binary in 200 fragments', fragments(BINARY, MANY), Buffer.from(MANY.join(''))),
  taken('5.4 a first fragment that is empty', fragments(TEXT, ['', 'hello']), 'hello'),
  taken('5.4 a last fragment that is empty', fragments(TEXT, ['hello', '']), 'hello'),
  taken('5.4 a middle fragment that is empty', fragments(TEXT, ['hel', '', 'lo']), 'hello'),
  taken('5.4 a text whose fragments are all empty', fragments(TEXT, ['', '', '']), ''),
  taken('5.4 binary whose fragments are all empty', fragments(BINARY, ['', '']), Buffer.alloc(0)),
  taken('5.4 two messages in fragments, one after the other',
    [...fragments(TEXT, ['a', 'b']), ...fragments(BINARY, ['c', 'd'])], 'ab', Buffer.from('cd')),
  taken('5.4 an unfinished message is not delivered', START),
  {
    ...taken('5.4 a ping between two fragments is answered, and the message stays complete',
      [START, PING_BETWEEN, END], 'hello'),
    frames: ['pong between']
  },
  {
    ...taken('5.4 pings between all fragments are answered, and the message stays complete',
      [START, PING_BETWEEN, frame({ opcode: CONTINUATION, fin: false }), PING_BETWEEN, END], 'hello'),
    frames: ['pong between', 'pong between']
  },
  taken('5.4 a pong between two fragments has no effect',
    [START, frame({ opcode: PONG, payload: 'x' }), END], 'hello'),
  answered('5.4 a close between two fragments is answered, and the unfinished message is dropped',
    [START, frame({ opcode: 8, payload: Buffer.of(3, 232) })], 'close 1000'),
  ...[TEXT, BINARY].flatMap((opcode) => [true, false].map((fin) => failed(
    `5.4 a new message inside another fails the connection: opcode ${opcode}, fin ${fin}`,
    1002, [START, frame({ opcode, fin, payload: 'x' })]
  ))),
  ...[true, false].map((fin) => failed(
    `5.4 a continuation frame without a start fails the connection: fin ${fin}`,
    1002, frame({ opcode: CONTINUATION, fin, payload: 'x' })
  )),
  {
    ...failed('5.4 a continuation frame after the end of a message fails the connection',
      1002, [...fragments(TEXT, ['hel', 'lo']), END]),
    messages: ['hello']
  },
  answered('5.4 and 7.4.1 fragments that are too large together are too large',
    fragments(BINARY, [Buffer.alloc(40_000), Buffer.alloc(30_001)]), 'close 1009 message too large')
]
