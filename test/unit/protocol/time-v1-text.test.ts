import { test } from 'tap'
import {
  cancelText, wireFormatFor, helloText, messageText, readClientText, SERVER_ID, syncText, tickText
} from '../../../src/protocol/time-v1-text.js'

const AT_MS = 1_795_262_405_000

test('a client that has agreed on time.v1 gets its wire format, every other client the plain one', async (t) => {
  const protocols = ['time.v1', '', 'chat', 'TIME.V1', 'time.v12']
  t.strictSame(protocols.map(wireFormatFor), ['time', 'plain', 'plain', 'plain', 'plain'])
})

const texts: [title: string, text: string, expected: string | RegExp][] = [
  ['hello', helloText({ interval: 5000, clockSteps: 2 }), /^\{"type":"hello","server":"[0-9a-z]{8}","interval":5000,"clockSteps":2\}$/],
  ['tick', tickText({ seq: 7, at: AT_MS, sent: AT_MS + 0.4, interval: 5000, clockSteps: 0 }),
    `{"type":"tick","seq":7,"at":${AT_MS},"sent":${AT_MS}.4,"interval":5000,"clockSteps":0}`],
  ['first tick', tickText({ seq: -1, at: AT_MS + 0.123, sent: AT_MS + 0.999, interval: 10, clockSteps: 0 }),
    `{"type":"tick","seq":-1,"at":${AT_MS}.12,"sent":${AT_MS + 1},"interval":10,"clockSteps":0}`],
  ['sync', syncText({ id: 12, at: AT_MS + 0.456, hold: 0.0321, clockSteps: 3 }),
    `{"type":"sync","id":12,"at":${AT_MS}.46,"hold":0.03,"clockSteps":3}`],
  ['message', messageText('{"a":1}', {}), '{"type":"message","data":{"a":1}}'],
  ['message with at and key', messageText('null', { at: AT_MS + 0.005, key: 'lot "7"' }),
    `{"type":"message","data":null,"at":${AT_MS}.01,"key":"lot \\"7\\""}`],
  ['cancel', cancelText('lot "7"'), '{"type":"cancel","key":"lot \\"7\\""}']
]

for (const [title, text, expected] of texts) {
  test(`a ${title} is JSON, its times with at most two decimals`, async (t) => {
    if (typeof expected === 'string') t.equal(text, expected)
    else t.match(text, expected)
    t.doesNotThrow(() => JSON.parse(text))
  })
}

const readable: [title: string, text: string, expected: object][] = [
  ['a sync', '{"type":"sync","id":12}', { type: 'sync', id: 12 }],
  ['the smallest id', '{"type":"sync","id":0}', { type: 'sync', id: 0 }],
  ['the largest id', '{"type":"sync","id":2147483647}', { type: 'sync', id: 2147483647 }],
  ['an id written with an exponent', '{"id":1e3,"type":"sync"}', { type: 'sync', id: 1000 }],
  ['a sync with unknown fields', ' {"type":"sync","id":1,"at":5,"__proto__":{"id":9}} ', { type: 'sync', id: 1 }],
  ['a string', '{"type":"message","data":"hé \\"x\\""}', { type: 'message', text: 'hé "x"' }],
  ['an empty string', '{"type":"message","data":""}', { type: 'message', text: '' }],
  ['an object, as JSON', '{"type":"message","data":{"a": [1, null]}}', { type: 'message', text: '{"a":[1,null]}' }],
  ['null, as JSON', '{"type":"message","data":null}', { type: 'message', text: 'null' }],
  ['false, as JSON', '{"type":"message","data":false}', { type: 'message', text: 'false' }],
  ['a message with unknown fields', '{"data":1,"type":"message","at":5,"key":"k"}', { type: 'message', text: '1' }],
  ['data with a __proto__ of its own', '{"type":"message","data":{"__proto__":{"a":1}}}',
    { type: 'message', text: '{"__proto__":{"a":1}}' }],
  ['data with a toJSON that is no function', '{"type":"message","data":{"toJSON":1}}',
    { type: 'message', text: '{"toJSON":1}' }]
]

for (const [title, text, expected] of readable) {
  test(`reads ${title}`, async (t) => {
    t.strictSame(readClientText(text), expected)
  })
}

/** More than the stack of a recursive function has room for. */
const DEEP = 50_000

const useless: [title: string, text: string][] = [
  ['nothing', ''],
  ['no JSON', 'sync 12'],
  ['JSON that ends too early', '{"type":"sync","id":1'],
  ['JSON and more', '{"type":"sync","id":1}{}'],
  ['a string', '"sync"'],
  ['null', 'null'],
  ['an array', '[{"type":"sync","id":1}]'],
  ['no type', '{"id":1}'],
  ['an unknown type', '{"type":"hello","id":1}'],
  ['a type that is no string', '{"type":["sync"],"id":1}'],
  ['a type from __proto__', '{"__proto__":{"type":"sync","id":1}}'],
  ['a sync without an id', '{"type":"sync"}'],
  ['an id from __proto__', '{"type":"sync","__proto__":{"id":1}}'],
  ['a negative id', '{"type":"sync","id":-1}'],
  ['an id that is too large', '{"type":"sync","id":2147483648}'],
  ['an id beyond all numbers', '{"type":"sync","id":1e999}'],
  ['an id that is no integer', '{"type":"sync","id":1.5}'],
  ['an id given as text', '{"type":"sync","id":"1"}'],
  ['an id in an array', '{"type":"sync","id":[1]}'],
  ['an id that is true', '{"type":"sync","id":true}'],
  ['an id that is null', '{"type":"sync","id":null}'],
  ['a message without data', '{"type":"message"}'],
  ['data from __proto__', '{"type":"message","__proto__":{"data":1}}'],
  ['a number beyond all numbers', '{"type":"message","data":1e999}'],
  ['a negative infinity inside', '{"type":"message","data":{"a":[1,-1e999]}}'],
  ['arrays too deep to be written again', `{"type":"message","data":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`],
  ['arrays without end', '['.repeat(DEEP)]
]

for (const [title, text] of useless) {
  test(`ignores ${title}`, async (t) => {
    t.equal(readClientText(text), undefined)
  })
}

test('the server id has eight letters and digits', async (t) => {
  t.match(SERVER_ID, /^[0-9a-z]{8}$/)
})
