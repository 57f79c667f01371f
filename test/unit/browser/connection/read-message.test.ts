import { test } from 'tap'
import { isTime, readMessage, readTime } from '../../../../src/browser/connection/read-message.js'

test('readMessage', async (t) => {
  await t.test('reads any object', async (t) => {
    t.strictSame(readMessage('{"type":"tick","sent":5}'), { type: 'tick', sent: 5 })
  })

  await t.test('never throws, and returns something that has no type', async (t) => {
    for (const text of ['', '{', 'null', 'true', '5', '"type"', '[]', '\ud800']) {
      t.equal(readMessage(text).type, undefined, text)
    }
  })
})

test('readTime', async (t) => {
  await t.test('reads what a server without time.v1 tells', async (t) => {
    const atMs = Date.UTC(2026, 10, 21, 12, 0, 5)
    const date = new Date(atMs)
    const texts = [date.toISOString(), date.toString(), String(atMs), `${atMs}.0`]
    t.strictSame(texts.map(readTime), texts.map(() => atMs))
  })

  await t.test('reads nothing else', async (t) => {
    const texts = ['', '5', 'bid 5', '2026-11-21', 'Sat Nov 21', '99999-11-21T12:00', '1e12', '{}']
    t.strictSame(texts.map(readTime), texts.map(() => NaN))
  })
})

test('isTime takes numbers that a Date can hold, and nothing else', async (t) => {
  const values = [0, -1.5, 8.64e15, 8.65e15, NaN, Infinity, '5', null, undefined, [5], new Date(5)]
  t.strictSame(values.filter(isTime), [0, -1.5, 8.64e15])
})
