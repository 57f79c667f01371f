import fc from 'fast-check'
import { test } from 'tap'
import type { Broadcast, Envelope } from '../../../src/cluster/envelope.js'
import { decodeJson, encodeJson } from '../../../src/cluster/json-format.js'

const SENDER = { registration: '["/time",null]', peer: '5d0e', seq: 7 }
const BROADCAST: Broadcast = {
  type: 'broadcast',
  ...SENDER,
  sent: 1795262405000.25,
  where: { room: ['a', 1, true, null], vip: false },
  except: ['id-1', 'id-2'],
  at: 1795262410000,
  key: 'end',
  content: { kind: 'text', text: 'going once\n✓' }
}

const envelopes: [title: string, envelope: Envelope][] = [
  ['an alive message', { type: 'alive', ...SENDER, reads: 2 }],
  ['an alive message before the first message', { type: 'alive', ...SENDER, seq: 0, reads: 1 }],
  ['a broadcast with everything', BROADCAST],
  ['a broadcast to all clients', { ...BROADCAST, where: undefined, except: undefined, at: undefined, key: undefined }],
  ['an empty text', { ...BROADCAST, content: { kind: 'text', text: '' } }],
  ['a text that starts with a byte order mark', { ...BROADCAST, content: { kind: 'text', text: '\ufeffa' } }],
  ['the JSON text of a value', { ...BROADCAST, content: { kind: 'json', text: '{"a":[1,"\\n"]}' } }],
  ['bytes', { ...BROADCAST, content: { kind: 'binary', bytes: Buffer.from([0, 10, 255]) } }],
  ['no bytes', { ...BROADCAST, content: { kind: 'binary', bytes: Buffer.alloc(0) } }],
  ['a cancel', { type: 'cancel', ...SENDER, sent: 5, key: 'lot 1' }]
]

for (const [title, envelope] of envelopes) {
  test(`${title} is decoded as it was encoded`, async (t) => {
    t.strictSame(decodeJson(encodeJson(envelope)), envelope)
  })
}

/** What a server wrote before there was format 2: such servers may run in a rolling update. */
const OLD_SENDER = { registration: '["/time",null]', peer: 'f4b86130' }
const old: [title: string, payload: string, envelope: Envelope][] = [
  ['an alive message',
    '{"v":1,"type":"alive","registration":"[\\"/time\\",null]","origin":"f4b86130","seq":0}\n',
    { type: 'alive', ...OLD_SENDER, seq: 0, reads: 1 }],
  ['a broadcast',
    '{"v":1,"type":"broadcast","except":[],"registration":"[\\"/time\\",null]","origin":"f4b86130",' +
    '"seq":1,"sent":1795985075923,"kind":"json"}\n{"text":"doors close"}',
    {
      ...BROADCAST,
      ...OLD_SENDER,
      seq: 1,
      sent: 1795985075923,
      where: undefined,
      except: [],
      at: undefined,
      key: undefined,
      content: { kind: 'json', text: '{"text":"doors close"}' }
    }],
  ['a scheduled broadcast to some clients',
    '{"v":1,"type":"broadcast","where":{"room":"a"},"except":[],"at":1795985135923,"key":"k",' +
    '"registration":"[\\"/time\\",null]","origin":"f4b86130","seq":2,"sent":1795985075924,"kind":"text"}\n' +
    'später',
    {
      ...BROADCAST,
      ...OLD_SENDER,
      seq: 2,
      sent: 1795985075924,
      where: { room: 'a' },
      except: [],
      at: 1795985135923,
      key: 'k',
      content: { kind: 'text', text: 'später' }
    }],
  ['a cancel',
    '{"v":1,"type":"cancel","key":"k","registration":"[\\"/time\\",null]","origin":"f4b86130","seq":3,' +
    '"sent":1795985075924.1316}\n',
    { type: 'cancel', ...OLD_SENDER, seq: 3, sent: 1795985075924.1316, key: 'k' }]
]

for (const [title, payload, envelope] of old) {
  test(`${title} of an earlier version is understood`, async (t) => {
    t.strictSame(decodeJson(Buffer.from(payload)), envelope)
  })
}

/** The bytes of an envelope of which something is different. */
function changed (change: object, body = 'a'): Uint8Array {
  const fields = { v: 1, origin: '5d0e', ...BROADCAST, kind: 'text', content: undefined, ...change }
  return Buffer.from(`${JSON.stringify(fields)}\n${body}`)
}

const refused: [title: string, payload: Uint8Array][] = [
  ['nothing', Buffer.alloc(0)],
  ['a line without an end', Buffer.from('{"v":1}')],
  ['an empty line', Buffer.from('\n')],
  ['a line that is not JSON', Buffer.from('v=1\n')],
  ['a line that is not UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a])],
  ['JSON that is not an object', Buffer.from('[1]\n')],
  ['null', Buffer.from('null\n')],
  ['JSON nested too deeply', Buffer.from(`${'['.repeat(1_000_000)}\n`)],
  ['another version', changed({ v: 2 })],
  ['no version', changed({ v: undefined })],
  ['an unknown type', changed({ type: 'toString' })],
  ['no registration', changed({ registration: undefined })],
  ['a peer that is not text', changed({ origin: 1 })],
  ['a seq of 0', changed({ seq: 0 })],
  ['a negative seq', changed({ seq: -1 })],
  ['a fractional seq', changed({ seq: 1.5 })],
  ['a seq beyond exact numbers', changed({ seq: 2 ** 53 })],
  ['no time', changed({ sent: null })],
  ['a time beyond all dates', changed({ sent: 1e300 })],
  ['an at that is not a time', changed({ at: 'soon' })],
  ['a key that is not text', changed({ key: 5 })],
  ['an empty key', changed({ key: '' })],
  ['a where that is not an object', changed({ where: ['a'] })],
  ['a where of objects', changed({ where: { room: {} } })],
  ['a where of lists of lists', changed({ where: { room: [['a']] } })],
  ['an except that is not a list', changed({ except: 'id-1' })],
  ['an except of numbers', changed({ except: [1] })],
  ['an unknown kind', changed({ kind: 'toString' })],
  ['invalid JSON', changed({ kind: 'json' }, '{"a":')],
  ['JSON that would end its frame', changed({ kind: 'json' }, '1},{"type":"hello"')],
  ['text that is not UTF-8', Buffer.concat([changed({}), Buffer.from([0xc0])])],
  ['a cancel without a key', changed({ type: 'cancel', key: undefined })],
  ['a cancel with an empty key', changed({ type: 'cancel', key: '' })],
  ['an alive message that names no format', changed({ type: 'alive', reads: 'all' })],
  ['a cancel without a time', changed({ type: 'cancel', sent: undefined })]
]

for (const [title, payload] of refused) {
  test(`refuses ${title}`, async (t) => {
    t.equal(decodeJson(payload), undefined)
  })
}

test('ignores unknown fields, and fields of a prototype', async (t) => {
  const decoded = decodeJson(changed({ color: 'red', ['__proto__']: { polluted: true } }))
  t.strictSame(decoded, { ...BROADCAST, content: { kind: 'text', text: 'a' } })
})

test('never throws, whatever the bytes', async () => {
  const whole = encodeJson(BROADCAST)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    decodeJson(bytes)
  }))
  fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), (index, byte) => {
    const broken = Uint8Array.from(whole)
    broken[index] = byte
    decodeJson(broken)
    decodeJson(broken.subarray(0, index))
  }))
})

test('an alive message of the first version means that the peer reads only format 1', async (t) => {
  const { registration, peer, seq } = SENDER
  const line = JSON.stringify({ v: 1, type: 'alive', registration, origin: peer, seq })
  t.strictSame(decodeJson(Buffer.from(`${line}\n`)), { type: 'alive', ...SENDER, reads: 1 })
})
