import { test } from 'tap'
import { assertKey, assertOptions, readAt } from '../../../src/delivery/broadcast-options.js'

const NOW_MS = 1_795_262_400_000
const MAX_AHEAD_MS = 24 * 86_400_000
const now = () => NOW_MS
const invalid = (message: string) => ({ code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', message })

test('takes all options, and those that are undefined', async (t) => {
  t.doesNotThrow(() => assertOptions({
    where: { room: [1, null] }, except: ['id'], filter: () => true, local: true, at: NOW_MS, key: 'k'
  }))
  t.doesNotThrow(() => assertOptions({
    where: undefined,
    except: undefined,
    filter: undefined,
    local: undefined,
    at: undefined,
    key: undefined
  }))
})

test('names what is unknown', async (t) => {
  t.throws(() => assertOptions({ rooms: 1 }), invalid(
    'the broadcast option "rooms" must be one of where, except, filter, local, at, key, got 1'))
})

test('reads a time as milliseconds: past, now, and up to 24 days ahead', async (t) => {
  for (const atMs of [NOW_MS - 1, NOW_MS, NOW_MS + 0.25, NOW_MS + MAX_AHEAD_MS]) {
    t.equal(readAt(atMs, now), atMs)
  }
  t.equal(readAt(new Date(NOW_MS), now), NOW_MS)
})

test('reads no clock where there is no time', async (t) => {
  t.equal(readAt(undefined, () => { throw new Error('it has') }), undefined)
})

for (const [title, at, shown] of [
  ['too far ahead', NOW_MS + MAX_AHEAD_MS + 1, String(NOW_MS + MAX_AHEAD_MS + 1)],
  ['a Date too far ahead', new Date(NOW_MS + MAX_AHEAD_MS + 1), '2026-12-15T12:00:00.001Z'],
  ['in seconds', NOW_MS / 1000, '1795262400'],
  ['zero', 0, '0'],
  ['negative', -1, '-1'],
  ['NaN', NaN, 'NaN'],
  ['Infinity', Infinity, 'Infinity'],
  ['an invalid Date', new Date(NaN), 'Invalid Date'],
  ['a text', '2027-01-01', "'2027-01-01'"],
  ['a bigint', BigInt(NOW_MS), `${NOW_MS}n`],
  ['null', null, 'null']
] as const) {
  test(`refuses a time that is ${title}`, async (t) => {
    t.throws(() => readAt(at, now), invalid('the broadcast option "at" must be a Date or ' +
      `milliseconds since the Unix epoch, at most 24 days ahead, got ${shown}`))
  })
}

for (const [key, shown] of [['', "''"], [5, '5'], [null, 'null'], [['k'], "[ 'k' ]"]] as const) {
  test(`refuses ${shown} as a key`, async (t) => {
    t.throws(() => assertKey(key, 'the key'),
      invalid(`the key must be a string that is not empty, got ${shown}`))
    t.throws(() => assertOptions({ key }),
      invalid(`the broadcast option "key" must be a string that is not empty, got ${shown}`))
  })
}

test('takes any other string as a key', async (t) => {
  for (const key of ['k', ' ', '__proto__', 'é \ud800', '"', 'x'.repeat(10_000)]) {
    t.doesNotThrow(() => assertKey(key, 'the key'))
  }
})
