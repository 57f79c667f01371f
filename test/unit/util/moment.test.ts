import { test } from 'tap'
import { readMoment } from '../../../src/util/moment.js'

const MAX_MS = 8.64e15

test('reads a Date, and milliseconds since the Unix epoch with fractions', async (t) => {
  const moments = [new Date(1_795_262_400_000), 1_795_262_400_000.25, 1e11, MAX_MS]
  t.strictSame(moments.map(readMoment), [1_795_262_400_000, 1_795_262_400_000.25, 1e11, MAX_MS])
})

for (const [title, value] of [
  ['seconds', 1_795_262_400],
  ['what is just too early', 1e11 - 1],
  ['what is later than time', MAX_MS + 1],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['an invalid Date', new Date(NaN)],
  ['a text', '2027-01-01'],
  ['a bigint', 1_795_262_400_000n],
  ['null', null],
  ['undefined', undefined]
] as const) {
  test(`takes ${title} for no moment`, async (t) => {
    t.equal(readMoment(value), undefined)
  })
}
