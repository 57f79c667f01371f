import { test } from 'tap'
import { remainingMs } from '../../../src/http/expiry.js'

const NOW_MS = 1_795_262_400_000

test('says how long a permission lasts', async (t) => {
  t.equal(remainingMs(undefined, NOW_MS), undefined)
  t.equal(remainingMs(NOW_MS + 1500, NOW_MS), 1500)
  t.equal(remainingMs(new Date(NOW_MS + 1500), NOW_MS), 1500)
  t.equal(remainingMs(NOW_MS - 1, NOW_MS), -1)
  t.equal(remainingMs(NOW_MS + 50 * 86_400_000, NOW_MS), 50 * 86_400_000)
})

for (const [title, value, shown] of [
  ['the exp of a JWT', NOW_MS / 1000, '1795262400'],
  ['zero', 0, '0'],
  ['NaN', NaN, 'NaN'],
  ['Infinity', Infinity, 'Infinity'],
  ['what is later than time', 8.64e15 + 1, '8640000000000001'],
  ['an invalid Date', new Date(NaN), 'Invalid Date'],
  ['text', '2027-01-01', "'2027-01-01'"],
  ['null', null, 'null']
] as const) {
  test(`refuses ${title}, and names the mistake that is likely`, async (t) => {
    t.throws(() => remainingMs(value, NOW_MS), {
      message: 'expiresAt must return a Date, milliseconds since the Unix epoch or undefined, ' +
        `got ${shown} (the exp of a JWT is in seconds: return exp * 1000)`
    })
  })
}
