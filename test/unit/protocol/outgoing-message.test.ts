import { constants } from 'node:buffer'
import { test } from 'tap'
import { createMessage, createOutgoing } from '../../../src/protocol/outgoing-message.js'

const sendable: [title: string, data: unknown, payload: string, binary: boolean][] = [
  ['a string as it is', 'é "x"', 'é "x"', false],
  ['an empty string', '', '', false],
  ['an object as JSON', { a: [1, null, true, 'x'] }, '{"a":[1,null,true,"x"]}', false],
  ['an array as JSON', [1, 'two'], '[1,"two"]', false],
  ['null as JSON', null, 'null', false],
  ['a number as JSON', -0.5, '-0.5', false],
  ['a boolean as JSON', false, 'false', false],
  ['a Date as JSON makes it', new Date(0), '"1970-01-01T00:00:00.000Z"', false],
  ['a Buffer as bytes', Buffer.from('bytes'), 'bytes', true],
  ['an empty Buffer as bytes', Buffer.alloc(0), '', true],
  ['an ArrayBuffer as bytes', new TextEncoder().encode('ab').buffer, 'ab', true],
  ['a view as just its bytes', new DataView(new TextEncoder().encode('xaby').buffer, 1, 2), 'ab', true],
  ['a SharedArrayBuffer as bytes', new SharedArrayBuffer(2), '\0\0', true],
  ['16-bit numbers as their bytes', Uint16Array.of(0x6261), 'ab', true]
]

for (const [title, data, payload, binary] of sendable) {
  test(`encodes ${title}`, async (t) => {
    const frame = createMessage(data).encode('plain')
    t.strictSame([frame.payload.toString(), frame.binary], [payload, binary])
  })
}

const cycle: { self?: unknown } = {}
cycle.self = cycle

function detached (): Uint8Array {
  const bytes = new Uint8Array(4)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

const unsendable: [title: string, data: unknown, shown: RegExp][] = [
  ['undefined', undefined, /got undefined$/],
  ['a function', () => {}, /got \[Function/],
  ['a symbol', Symbol('s'), /got Symbol\(s\)$/],
  ['a bigint', 1n, /got 1n$/],
  ['a bigint inside', { deep: { big: 1n } }, /got \{ deep: \[Object\] \}$/],
  ['a cycle', cycle, /got /],
  ['NaN', NaN, /got NaN$/],
  ['infinity', -Infinity, /got -Infinity$/],
  ['a promise', Promise.resolve('x'), /got Promise/],
  ['a Map', new Map(), /got Map\(0\) \{\}$/],
  ['a Set', new Set([1]), /got Set\(1\)/],
  ['a regular expression', /x/, /got \/x\/$/],
  ['an error', new Error('no'), /got Error: no/],
  ['a Blob', new Blob(['x']), /got Blob/],
  ['bytes that have been transferred', detached(), /got Uint8Array/],
  ['a value whose toJSON returns undefined', { toJSON: () => undefined }, /got \{ toJSON/],
  ['a toJSON that throws', { toJSON () { throw new Error('no') } }, /got \{ toJSON/]
]

for (const [title, data, shown] of unsendable) {
  test(`refuses ${title}`, async (t) => {
    const encode = () => createMessage(data)
    t.throws(encode, { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', message: shown })
    t.throws(encode, { message: /^the message must be a string, bytes or a JSON value, got / })
  })
}

test('keeps the reason why JSON failed as the cause', async (t) => {
  t.throws(() => createMessage(1n), { cause: { message: /BigInt/ } })
})

const wrapped: [title: string, data: unknown, text: string][] = [
  ['a string as a string', 'é "x"', '{"type":"message","data":"é \\"x\\""}'],
  ['a string that is JSON as a string', '{"a":1}', '{"type":"message","data":"{\\"a\\":1}"}'],
  ['an object as an object', { a: [1, null] }, '{"type":"message","data":{"a":[1,null]}}'],
  ['half a character escaped', '\ud800', '{"type":"message","data":"\\ud800"}']
]

for (const [title, data, text] of wrapped) {
  test(`wraps ${title} for time.v1`, async (t) => {
    const frame = createMessage(data).encode('time')
    t.strictSame([frame.payload.toString(), frame.binary], [text, false])
  })
}

test('sends bytes unchanged to clients of time.v1, even if they are changed later', async (t) => {
  const data = Buffer.from('bytes')
  const message = createMessage(data)
  data.fill(0)
  t.equal(message.encode('time'), message.encode('plain'))
  t.strictSame([message.binary, message.encode('time').payload.toString()], [true, 'bytes'])
})

test('encodes a message once per wire format, with its content of the time of the call', async (t) => {
  const data = { bid: 1 }
  const message = createMessage(data, { at: 5, key: 'k' })
  data.bid = 2
  for (const form of ['plain', 'time'] as const) t.equal(message.encode(form), message.encode(form))
  t.equal(message.encode('plain').payload.toString(), '{"bid":1}')
  t.equal(message.encode('time').payload.toString(), '{"type":"message","data":{"bid":1},"at":5,"key":"k"}')
})

test('refuses a text that is too long for the envelope of time.v1, before anything is sent', async (t) => {
  const text = 'x'.repeat(constants.MAX_STRING_LENGTH - 5)
  t.throws(() => createOutgoing({ kind: 'json', text }), {
    code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', cause: { message: 'Invalid string length' }
  })
})
