import { test } from 'tap'
import { createTrimming, isBefore, rewind } from '../../../../src/cluster/redis/stream-trimming.js'
import type { StreamId } from '../../../../src/cluster/redis/stream-trimming.js'

test('isBefore compares numerically, milliseconds first', async (t) => {
  const pairs: [StreamId, StreamId, boolean][] = [
    ['1-0', '2-0', true], ['2-0', '1-0', false], ['9-0', '10-0', true], ['5-9', '5-10', true],
    ['5-10', '5-9', false], ['5-1', '5-1', false], ['0-0', '1795262405000-0', true]
  ]
  for (const [one, other, expected] of pairs) t.equal(isBefore(one, other), expected, `${one} ${other}`)
})

test('rewind goes back, but not beyond the beginning', async (t) => {
  t.strictSame([rewind('1795262405000-7', 10_000), rewind('500-1', 1000)], ['1795262395000-0', '0-0'])
})

const OPTIONS = { maxBytes: 640_000, maxLength: 50 }
const NOW_MS = 1_795_262_405_000

test('trims nothing before it knows the clock of Redis', async (t) => {
  t.strictSame(createTrimming(OPTIONS).args(), ['MINID', '~', '0-0'])
})

test('keeps twelve seconds of written and read entries', async (t) => {
  const trimming = createTrimming(OPTIONS)
  trimming.noteTime(`${NOW_MS}-5`)
  t.strictSame(trimming.args(), ['MINID', '~', `${NOW_MS - 12_000}-0`])
  trimming.noteEntry(`${NOW_MS + 1000}-0`, 10)
  t.strictSame(trimming.args(), ['MINID', '~', `${NOW_MS - 11_000}-0`])
})

test('keeps about maxBytes of younger entries', async (t) => {
  const trimming = createTrimming(OPTIONS)
  for (let index = 0; index < 100; index++) trimming.noteEntry(`${NOW_MS + index}-0`, 9900)
  t.strictSame(trimming.args(), ['MINID', '~', `${NOW_MS + 36}-0`], '64 entries of 10 kB are left')
})

test('trims small entries several at a time', async (t) => {
  const trimming = createTrimming(OPTIONS)
  for (let index = 0; index < 1000; index++) trimming.noteEntry(`${NOW_MS + index}-0`, 900)
  t.strictSame(trimming.args(), ['MINID', '~', `${NOW_MS + 360}-0`], '640 entries of 1 kB are left')
})

test('keeps the latest entry, however large', async (t) => {
  const trimming = createTrimming(OPTIONS)
  trimming.noteEntry(`${NOW_MS}-0`, 1_000_000)
  t.strictSame(trimming.args(), ['MINID', '~', `${NOW_MS - 12_000}-0`])
  trimming.noteEntry(`${NOW_MS}-1`, 1_000_000)
  t.strictSame(trimming.args(), ['MINID', '~', `${NOW_MS}-1`])
})

test('does not count the bytes of entries that are too old', async (t) => {
  const trimming = createTrimming(OPTIONS)
  for (let index = 0; index < 100; index++) trimming.noteEntry(`${NOW_MS + index * 1000}-0`, 39_900)
  t.strictSame(trimming.args(), ['MINID', '~', `${NOW_MS + 99_000 - 12_000}-0`])
})

test('starts over in a stream that has been replaced', async (t) => {
  const trimming = createTrimming(OPTIONS)
  for (let index = 0; index < 100; index++) trimming.noteEntry(`${NOW_MS + index}-0`, 9900)
  trimming.noteEntry('50000-0', 10)
  t.strictSame(trimming.args(), ['MINID', '~', '38000-0'])
})

test('trims by length if Redis does not support MINID', async (t) => {
  const trimming = createTrimming(OPTIONS)
  trimming.trimByLength()
  t.strictSame(trimming.args(), ['MAXLEN', '~', '50'])
})
