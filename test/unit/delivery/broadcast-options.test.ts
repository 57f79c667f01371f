import { test } from 'tap'
import {
  assertKey, createCondition, everyClient, readAt, readBroadcastOptions
} from '../../../src/delivery/broadcast-options.js'
import type { BroadcastOptions } from '../../../src/index.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'

const NOW_MS = 1_795_262_400_000
const MAX_AHEAD_MS = 24 * 86_400_000
const now = () => NOW_MS
const invalid = (message: string) => ({ code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', message })

test('accepts all options, and undefined for each', async (t) => {
  t.doesNotThrow(() => readBroadcastOptions({
    where: { room: [1, null] }, except: ['id'], filter: () => true, local: true, at: NOW_MS, key: 'k'
  }))
  t.doesNotThrow(() => readBroadcastOptions({
    where: undefined,
    except: undefined,
    filter: undefined,
    local: undefined,
    at: undefined,
    key: undefined
  }))
})

test('names an unknown option', async (t) => {
  t.throws(() => readBroadcastOptions({ rooms: 1 }), invalid(
    'the broadcast option "rooms" must be one of where, except, filter, local, at, key, got 1'))
})

test('reads a time as milliseconds: in the past, now, or up to 24 days ahead', async (t) => {
  for (const atMs of [NOW_MS - 1, NOW_MS, NOW_MS + 0.25, NOW_MS + MAX_AHEAD_MS]) {
    t.equal(readAt(atMs, now), atMs)
  }
  t.equal(readAt(new Date(NOW_MS), now), NOW_MS)
})

test('does not read the clock without a time', async (t) => {
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
    t.throws(() => readBroadcastOptions({ key }),
      invalid(`the broadcast option "key" must be a string that is not empty, got ${shown}`))
  })
}

test('accepts any other string as a key', async (t) => {
  for (const key of ['k', ' ', '__proto__', 'é \ud800', '"', 'x'.repeat(10_000)]) {
    t.doesNotThrow(() => assertKey(key, 'the key'))
  }
})

test('reads only own fields: a polluted prototype has no effect', async (t) => {
  const prototype = Object.prototype as { local?: boolean, except?: string }
  prototype.local = true
  prototype.except = 'all'
  t.teardown(() => {
    delete prototype.local
    delete prototype.except
  })
  const options = readBroadcastOptions({ key: 'k' })
  t.strictSame([options.key, options.local, options.except], ['k', undefined, undefined])
})

const failureLog = createFakeOutageLog()

function choose (options: BroadcastOptions<object>) {
  return createCondition(options, failureLog)
}

const { client } = createFakeClient({}, { context: { room: 1, vip: null } })

test('without conditions, every client is chosen by one shared function', async (t) => {
  t.equal(choose({}), everyClient)
  t.equal(choose({ where: {}, except: [], local: true, key: 'k' }), everyClient)
  t.equal(everyClient(), true)
})

for (const [title, options, expected] of [
  ['a field that has the value', { where: { room: 1 } }, true],
  ['one of several values', { where: { room: [2, 1] } }, true],
  ['another value', { where: { room: 2 } }, false],
  ['null', { where: { vip: null } }, true],
  ['a missing field', { where: { seat: null } }, false],
  ['fields of which one differs', { where: { room: 1, vip: true } }, false],
  ['an exception', { except: client.id }, false],
  ['exceptions', { except: ['x', client.id] }, false],
  ['other exceptions', { except: ['x'] }, true],
  ['a filter', { filter: () => false }, false],
  ['all conditions that hold', { where: { room: 1 }, except: 'x', filter: () => true }, true]
] as const) {
  test(`${expected ? 'chooses' : 'leaves out'} a client by ${title}`, async (t) => {
    t.equal(choose(options)(client), expected)
  })
}

test('a filter that throws, or returns anything but a boolean, throws', async (t) => {
  t.throws(() => choose({ filter () { throw new Error('no') } })(client), { message: 'no' })
  for (const result of [Promise.resolve(true), 1, 'yes', undefined, null]) {
    t.throws(() => choose({ filter: (() => result) as never })(client),
      { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
  }
})

test('a client whose context throws is left out, and the failure is logged', async (t) => {
  const failures: unknown[] = []
  const { client } = createFakeClient({}, { context: { get room () { throw new Error('no') } } })
  const isChosen = createCondition({ where: { room: 1 } } as never, {
    failed: (err, fields) => failures.push([(err as Error).message, fields])
  })
  t.equal(isChosen(client), false)
  t.strictSame(failures, [['no', { id: client.id }]])
})
