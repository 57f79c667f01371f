import fc from 'fast-check'
import { test } from 'tap'
import {
  decodePack, encodePack, encodeSender, prepareMessage
} from '../../../src/cluster/binary-format.js'
import type { Broadcast, Cancel, Message } from '../../../src/cluster/envelope.js'

const IDENTITY = { registration: '["/zeit ✓",null]', peer: '5d0e' }
const SENDER = encodeSender(IDENTITY)
const SENT = 1795262405000.25
const TEXT = { kind: 'text', text: 'going once\n✓' } as const
const FULL: Message = {
  type: 'broadcast',
  where: { room: ['a', 1, true, null], vip: false },
  except: ['id-1', 'id-2'],
  at: 1795262410000,
  key: 'end',
  content: TEXT
}
const PLAIN: Message = {
  type: 'broadcast', where: undefined, except: undefined, at: undefined, key: undefined, content: TEXT
}

const messages: [title: string, message: Message][] = [
  ['a broadcast with everything', FULL],
  ['a broadcast to all clients', PLAIN],
  ['an empty text', { ...PLAIN, content: { kind: 'text', text: '' } }],
  ['a text that starts with a byte order mark', { ...PLAIN, content: { kind: 'text', text: '\ufeffa' } }],
  ['the JSON text of a value', { ...PLAIN, content: { kind: 'json', text: '{"a":[1,"\\n"]}' } }],
  ['bytes', { ...PLAIN, content: { kind: 'binary', bytes: Buffer.from([0, 10, 255]) } }],
  ['no bytes', { ...PLAIN, content: { kind: 'binary', bytes: Buffer.alloc(0) } }],
  ['a cancel', { type: 'cancel', key: 'lot ✓' }]
]

/** As a peer publishes them, the first with seq 7. */
function packed (...messages: Message[]): Uint8Array {
  return encodePack(SENDER, 7, SENT, messages.map(prepareMessage))
}

function received (message: Message, seq: number): Broadcast | Cancel {
  return { ...message, ...IDENTITY, seq, sent: SENT }
}

for (const [title, message] of messages) {
  test(`${title} is decoded as it was encoded`, async (t) => {
    t.same(decodePack(packed(message)), [received(message, 7)])
  })
}

test('messages in one pack are decoded in order, each with its seq', async (t) => {
  const all = messages.map(([, message]) => message)
  t.same(decodePack(packed(...all)), all.map((message, index) => received(message, 7 + index)))
})

test('an empty except takes no space', async (t) => {
  t.strictSame(packed({ ...PLAIN, except: [] }), packed(PLAIN))
})

test('a view into a larger buffer is read from its start', async (t) => {
  const pack = packed(PLAIN)
  const more = Buffer.concat([Buffer.from('before'), pack, Buffer.from('behind')])
  t.same(decodePack(new Uint8Array(more).subarray(6, 6 + pack.length)), [received(PLAIN, 7)])
})

/** A pack of one message whose length is right and whose inside is given. */
function crafted (kind: number, rest: string | Uint8Array, seq = 7, sent = SENT): Uint8Array {
  const inside = Buffer.concat([Buffer.from([kind]), Buffer.from(rest)])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(inside.length)
  return Buffer.concat([encodePack(SENDER, seq, sent, []), length, inside])
}

/** A text with its length before it. */
function block (text: string): string {
  return `${String.fromCharCode(text.length)}\0\0\0${text}`
}

const [TEXT_KIND, JSON_KIND, CANCEL_KIND, HAS_FIELDS] = [0, 1, 3, 4]

const refused: [title: string, payload: Uint8Array][] = [
  ['nothing', Buffer.alloc(0)],
  ['another version', Buffer.concat([Buffer.from([3]), packed(PLAIN).subarray(1)])],
  ['a sender that is not UTF-8', encodePack(Buffer.from([2, 1, 0, 0xff, 0, 0]), 7, SENT, [])],
  ['a seq of 0', crafted(TEXT_KIND, 'a', 0)],
  ['a fractional seq', crafted(TEXT_KIND, 'a', 1.5)],
  ['a seq beyond exact numbers', crafted(TEXT_KIND, 'a', 2 ** 53)],
  ['no time', crafted(TEXT_KIND, 'a', 7, NaN)],
  ['a time beyond all dates', crafted(TEXT_KIND, 'a', 7, 1e300)],
  ['an unknown kind', crafted(8, 'a')],
  ['text that is not UTF-8', crafted(TEXT_KIND, Buffer.from([0xc0]))],
  ['invalid JSON', crafted(JSON_KIND, '{"a":')],
  ['JSON that would end its frame', crafted(JSON_KIND, '1},{"type":"hello"')],
  ['fields that are not an object', crafted(HAS_FIELDS, block('[]'))],
  ['fields that are not JSON', crafted(HAS_FIELDS, block('{'))],
  ['an empty key', crafted(HAS_FIELDS, block('{"key":""}'))],
  ['an at that is not a time', crafted(HAS_FIELDS, block('{"at":"soon"}'))],
  ['a cancel with an empty key', crafted(CANCEL_KIND, '')],
  ['a message that is cut off', packed(PLAIN).subarray(0, -1)],
  ['a length that is cut off', Buffer.concat([packed(PLAIN), Buffer.from([1])])]
]

for (const [title, payload] of refused) {
  test(`refuses ${title}`, async (t) => {
    t.equal(decodePack(payload), undefined)
  })
}

test('ignores unknown fields, and fields of a prototype', async (t) => {
  const pack = crafted(HAS_FIELDS, `${block('{"color":1,"__proto__":{"key":"a"}}')}b`)
  t.same(decodePack(pack), [received({ ...PLAIN, content: { kind: 'text', text: 'b' } }, 7)])
})

test('never throws, whatever the bytes', async () => {
  const whole = packed(FULL, PLAIN)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    decodePack(Uint8Array.from([2, ...bytes]))
  }))
  fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), (index, byte) => {
    const broken = Uint8Array.from(whole)
    broken[index] = byte
    decodePack(broken)
    decodePack(broken.subarray(0, index))
  }))
})
