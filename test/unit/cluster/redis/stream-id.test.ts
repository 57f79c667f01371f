import { test } from 'tap'
import { isBefore, rewind } from '../../../../src/cluster/redis/stream-id.js'
import type { StreamId } from '../../../../src/cluster/redis/stream-id.js'

test('isBefore compares as numbers, first the milliseconds', async (t) => {
  const pairs: [StreamId, StreamId, boolean][] = [
    ['1-0', '2-0', true], ['2-0', '1-0', false], ['9-0', '10-0', true], ['5-9', '5-10', true],
    ['5-10', '5-9', false], ['5-1', '5-1', false], ['0-0', '1795262405000-0', true]
  ]
  for (const [one, other, expected] of pairs) t.equal(isBefore(one, other), expected, `${one} ${other}`)
})

test('rewind goes back, and not beyond the beginning', async (t) => {
  t.strictSame([rewind('1795262405000-7', 10_000), rewind('500-1', 1000)], ['1795262395000-0', '0-0'])
})
