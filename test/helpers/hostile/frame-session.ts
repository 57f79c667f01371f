import { createRandom } from '../fakes/random.js'
import { BINARY, CLOSE, closeFrame, CONTINUATION, frame, PING, PONG, TEXT } from './frames.js'

/** Numbers from 0 to 1; repeatable. */
export type Random = ReturnType<typeof createRandom>

/** What a hostile client sends once it is connected, and what it must be answered. */
export interface FrameSession {
  /** What it does wrong. */
  readonly title: string
  readonly bytes: Buffer
  /**
   * The code that it must be closed with; undefined where anything goes that is no crash: random
   * bytes may be anything.
   */
  readonly code: number | undefined
  /** Whether it sends them one by one. */
  readonly isDribbled: boolean
}

type Kind = [title: string, code: number | undefined, create: (random: Random) => Buffer]

/** No frame of data with such an opcode exists: RFC 6455 §5.2. */
const RESERVED = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]
/** Codes that may not be on the wire: RFC 6455 §7.4. */
const BAD_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
/** RFC 3629 §3 and §4: stray, overlong, a surrogate, beyond U+10FFFF, never, cut off. */
const BAD_UTF8 = [
  '80', 'c080', 'e08080', 'eda080', 'edbfbf', 'f4908080', 'f0808080', 'fe', 'ff', 'c3', 'e282', 'f09f98'
].map((hex) => Buffer.from(hex, 'hex'))
const MAX_PAYLOAD_BYTES = 1024 * 1024

const KINDS: readonly Kind[] = [
  ['random bytes', undefined, (random) => randomBytes(random, 1 + Math.floor(random() * 300))],
  ['an opcode that is reserved', 1002, (random) => frame({ opcode: pick(random, RESERVED) })],
  ['reserved bits', 1002, (random) => frame({
    opcode: pick(random, [TEXT, BINARY, PING, PONG, CLOSE]), rsv: 1 + Math.floor(random() * 7)
  })],
  ['no mask', 1002, (random) => frame({
    opcode: pick(random, [TEXT, BINARY, PING, PONG, CLOSE]), mask: false, payload: '{}'
  })],
  ['text that is not UTF-8', 1007, (random) => frame({
    opcode: TEXT, payload: broken(random), mask: randomBytes(random, 4)
  })],
  ['text in fragments that is not UTF-8', 1007, (random) => fragmented(random, broken(random))],
  ['a close code that may not be sent', 1002, (random) => closeFrame(pick(random, BAD_CODES))],
  ['a close code of one byte', 1002, () => frame({ opcode: CLOSE, payload: '\x03' })],
  ['a close reason that is not UTF-8', 1007, (random) => closeFrame(1000, broken(random))],
  ['a control frame in fragments', 1002, (random) => frame({
    opcode: pick(random, [PING, PONG, CLOSE]), fin: false
  })],
  ['a control frame that is too long', 1002, (random) => frame({
    opcode: pick(random, [PING, PONG, CLOSE]), payload: 'x'.repeat(126 + Math.floor(random() * 200))
  })],
  ['a continuation frame without a start', 1002, (random) => frame({
    opcode: CONTINUATION, fin: random() < 0.5, payload: 'x'
  })],
  ['a message within the fragments of another', 1002, (random) => Buffer.concat([
    frame({ opcode: TEXT, fin: false, payload: 'x' }),
    frame({ opcode: pick(random, [TEXT, BINARY]), fin: random() < 0.5, payload: 'y' })
  ])],
  ['more than 2^53 bytes', 1009, (random) => frame({
    opcode: BINARY, claims: 2n ** BigInt(53 + Math.floor(random() * 11)), lengthBytes: 8
  })],
  ['more bytes than the server accepts', 1009, (random) => frame({
    opcode: TEXT, claims: MAX_PAYLOAD_BYTES + 1 + Math.floor(random() * 2 ** 40)
  })],
  ['fragments that are too large together', 1009, () => Buffer.concat([
    frame({ opcode: BINARY, fin: false, payload: 'x' }),
    frame({ opcode: CONTINUATION, claims: MAX_PAYLOAD_BYTES })
  ])],
  ['a message that is too large', 1009, (random) => frame({
    opcode: BINARY, payload: Buffer.alloc(4097 + Math.floor(random() * 10_000))
  })],
  ['fragments of a message that is too large', 1009, () => Buffer.concat([
    frame({ opcode: TEXT, fin: false, payload: 'x'.repeat(4000) }),
    frame({ opcode: PING }),
    frame({ opcode: CONTINUATION, payload: 'x'.repeat(97) })
  ])],
  ['too many messages', 1008, (random) => Buffer.concat(Array.from({ length: 100 }, () => frame({
    opcode: pick(random, [TEXT, BINARY, PING, PONG]), payload: 'x'
  })))],
  ['compression that was not agreed upon', 1002, (random) => frame({
    opcode: pick(random, [TEXT, BINARY]), rsv: 4, payload: randomBytes(random, 20)
  })],
  ['nothing wrong', 1000, (random) => Buffer.concat([
    fragmented(random, Buffer.from('grüß dich 🕰')), closeFrame(1000, 'bye')
  ])]
]

/** More than these are not sent one by one: it would take too long. */
const MAX_DRIBBLED_BYTES = 60

/** Makes up what a hostile client does. */
export function createFrameSession (random: Random): FrameSession {
  const [title, code, create] = pick(random, KINDS)
  // Something good first, as often as not, which must not change the answer.
  const before = random() < 0.5 ? frame({ opcode: TEXT, payload: 'hi', mask: randomBytes(random, 4) }) : ''
  const bytes = Buffer.concat([Buffer.from(before), create(random)])
  const isDribbled = bytes.length <= MAX_DRIBBLED_BYTES && random() < 0.3
  return { title, bytes, code, isDribbled }
}

/** What each session may do wrong. */
export const SESSION_TITLES = KINDS.map(([title]) => title)

/** A text that is no UTF-8, for one thing. */
function broken (random: Random): Buffer {
  const start = 'grüß dich '.slice(0, Math.floor(random() * 10))
  return Buffer.concat([Buffer.from(start), pick(random, BAD_UTF8)])
}

/** One text, cut anywhere, inside characters too. */
function fragmented (random: Random, text: Buffer): Buffer {
  const cut = Math.floor(random() * text.length)
  return Buffer.concat([
    frame({ opcode: TEXT, fin: false, payload: text.subarray(0, cut) }),
    frame({ opcode: PING, payload: 'between' }),
    frame({ opcode: CONTINUATION, payload: text.subarray(cut) })
  ])
}

function randomBytes (random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}

function pick<Value> (random: Random, values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)] as Value
}
