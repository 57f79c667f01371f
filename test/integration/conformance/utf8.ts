import { BINARY, frame, PING, TEXT } from '../../helpers/hostile/frames.js'
import { failed, fragments, hex, taken } from './frame-case.js'
import type { FrameCase } from './frame-case.js'

/** The first and the last of each length (RFC 3629 §3), and what is special. */
const GOOD: Record<string, string> = {
  'U+0000': '00',
  'U+007F': '7f',
  'U+0080': 'c280',
  'U+07FF': 'dfbf',
  'U+0800': 'e0a080',
  'U+D7FF, before the surrogates': 'ed9fbf',
  'U+E000, after them': 'ee8080',
  'U+FEFF, which is not a byte order mark here': 'efbbbf',
  'U+FFFF': 'efbfbf',
  'U+10000': 'f0908080',
  'U+10FFFF, the last': 'f48fbfbf'
}
const BAD: Record<string, string> = {
  'a continuation byte alone': '80',
  'two continuation bytes': 'bfbf',
  'C0, overlong': 'c0af',
  'C1, overlong': 'c1bf',
  'overlong in three bytes': 'e09fbf',
  'overlong in four bytes': 'f08fbfbf',
  'overlong in five bytes': 'f888808080',
  'the first surrogate': 'eda080',
  'the last surrogate': 'edbfbf',
  'a pair of surrogates': 'eda080edb080',
  'U+110000': 'f4908080',
  F5: 'f5808080',
  FE: 'fe',
  FF: 'ff',
  'a character cut off after one byte': 'c3',
  'a character cut off after two bytes': 'e282',
  'a character cut off after three bytes': 'f09f95',
  'another character within a character': 'e28241',
  'an invalid byte within valid text': '61ff62'
}
const CLOCK = Buffer.from('🕰')

/** RFC 6455 §8.1 and §5.6: text is UTF-8, looked at as a whole. */
export const utf8: readonly FrameCase[] = [
  ...Object.entries(GOOD).map(([title, bytes]) => taken(`8.1 text: ${title}`,
    frame({ opcode: TEXT, payload: hex(bytes) }), hex(bytes).toString())),
  ...Object.entries(BAD).map(([title, bytes]) => failed(
    `8.1 text that is not UTF-8 fails the connection: ${title}`,
    1007, frame({ opcode: TEXT, payload: hex(bytes) })
  )),
  ...[1, 2, 3].map((cut) => taken(
    `5.6 fragments may be cut within a character: after ${cut} of 4 bytes`,
    fragments(TEXT, [CLOCK.subarray(0, cut), CLOCK.subarray(cut)]), '🕰'
  )),
  taken('5.6 each byte of a character may be in a fragment of its own',
    fragments(TEXT, Array.from(CLOCK, (byte) => Buffer.of(byte))), '🕰'),
  {
    ...taken('5.6 a ping within a character', [
      frame({ opcode: TEXT, fin: false, payload: CLOCK.subarray(0, 2) }),
      frame({ opcode: PING, payload: 'x' }),
      frame({ opcode: 0, payload: CLOCK.subarray(2) })
    ], '🕰'),
    frames: ['pong x']
  },
  failed('8.1 a surrogate in fragments fails the connection',
    1007, fragments(TEXT, [hex('ed'), hex('a080')])),
  failed('8.1 a character that the last fragment does not end fails the connection',
    1007, fragments(TEXT, [hex('f09f'), hex('95')])),
  ...['ff', 'eda080', 'c3'].map((bytes) => taken(
    `5.6 binary messages are not checked: ${bytes}`, frame({ opcode: BINARY, payload: hex(bytes) }), hex(bytes)
  ))
]
