import { test } from 'tap'
import { readExpiry } from '../../../src/http/expiry.js'

const NOW_MS = 1_795_262_400_000

test('says when a permission ends, on both clocks', async (t) => {
  t.equal(readExpiry(undefined, NOW_MS, 1000), undefined)
  for (const aheadMs of [1500, -1, 50 * 86_400_000]) {
    const expected = { at: NOW_MS + aheadMs, dueMs: 1000 + aheadMs }
    t.strictSame(readExpiry(NOW_MS + aheadMs, NOW_MS, 1000), expected)
    t.strictSame(readExpiry(new Date(NOW_MS + aheadMs), NOW_MS, 1000), expected)
  }
})

for (const [title, value, shown] of [
  ['the exp of a JWT', NOW_MS / 1000, '1795262400'],
  ['zero', 0, '0'],
  ['NaN', NaN, 'NaN'],
  ['Infinity', Infinity, 'Infinity'],
  ['a time after the last Date', 8.64e15 + 1, '8640000000000001'],
  ['an invalid Date', new Date(NaN), 'Invalid Date'],
  ['a string', '2027-01-01', "'2027-01-01'"],
  ['null', null, 'null']
] as const) {
  test(`refuses ${title}, and names the likely mistake`, async (t) => {
    t.throws(() => readExpiry(value, NOW_MS, 0), {
      message: 'expiresAt must return a Date, milliseconds since the Unix epoch or undefined, ' +
        `got ${shown} (the exp of a JWT is in seconds: return exp * 1000)`
    })
  })
}
