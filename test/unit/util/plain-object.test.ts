import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { isPlainObject } from '../../../src/util/plain-object.js'

for (const value of [{}, { a: 1 }, Object.create(null), JSON.parse('{"__proto__":1}'), runInNewContext('({})')]) {
  test('a literal, of whatever realm, is one', async (t) => {
    t.equal(isPlainObject(value), true)
  })
}

for (const value of [
  null, undefined, 1, 'x', () => {}, [], new Map(), new Date(), Promise.resolve(), Object.create({}),
  new (class Seat {})()
]) {
  test(`${String(value)} is none`, async (t) => {
    t.equal(isPlainObject(value), false)
  })
}
