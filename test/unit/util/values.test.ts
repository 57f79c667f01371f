import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import {
  toNativePromise, ignoreResult, isPlainObject, isScalar, isThenable, readMoment, show, verdictOf,
  withoutUndefined
} from '../../../src/util/values.js'

const shown: [value: unknown, text: string][] = [
  ['5', "'5'"], [5, '5'], [-0, '-0'], [NaN, 'NaN'], [1n, '1n'], [undefined, 'undefined'], [null, 'null'],
  [[1, [2]], '[ 1, [Array] ]'], [{ a: { b: 1 } }, '{ a: [Object] }'],
  [Symbol('x'), 'Symbol(x)'], [Object.create(null), '[Object: null prototype] {}'],
  ['x'.repeat(98), `'${'x'.repeat(98)}'`], ['x'.repeat(99), `'${'x'.repeat(99)}…`],
  [Symbol('a\nb'), 'Symbol(a b)'],
  [Object.create(new Proxy({}, { getOwnPropertyDescriptor () { throw new Error('no') } })), 'object'],
  ['two\nlines', "'two\\nlines'"]
]

for (const [value, text] of shown) {
  test(`show writes ${text}`, async (t) => {
    t.equal(show(value), text)
  })
}

test('show runs no code of the value', async (t) => {
  const value = {
    [Symbol.for('nodejs.util.inspect.custom')] () { throw new Error('ran') },
    get field () { throw new Error('ran') }
  }
  t.match(show(value), 'field: [Getter]')
})

const MAX_TIME_MS = 8.64e15

test('readMoment reads a Date, and milliseconds since the Unix epoch with fractions', async (t) => {
  const moments = [new Date(1_795_262_400_000), 1_795_262_400_000.25, 1e11, MAX_TIME_MS]
  const times = [1_795_262_400_000, 1_795_262_400_000.25, 1e11, MAX_TIME_MS]
  t.strictSame(moments.map(readMoment), times)
})

for (const [title, value] of [
  ['seconds', 1_795_262_400],
  ['an instant just before 1973', 1e11 - 1],
  ['an instant later than Date can express', MAX_TIME_MS + 1],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['an invalid Date', new Date(NaN)],
  ['a string', '2027-01-01'],
  ['a bigint', 1_795_262_400_000n],
  ['null', null],
  ['undefined', undefined]
] as const) {
  test(`readMoment refuses ${title}`, async (t) => {
    t.equal(readMoment(value), undefined)
  })
}

for (const value of [{}, { a: 1 }, Object.create(null), JSON.parse('{"__proto__":1}'), runInNewContext('({})')]) {
  test('isPlainObject accepts a literal of any realm', async (t) => {
    t.equal(isPlainObject(value), true)
  })
}

for (const value of [
  null, undefined, 1, 'x', () => {}, [], new Map(), new Date(), Promise.resolve(), Object.create({}),
  new (class Seat {})()
]) {
  test(`isPlainObject refuses ${String(value)}`, async (t) => {
    t.equal(isPlainObject(value), false)
  })
}

test('isScalar accepts what JSON can express and === compares', async (t) => {
  const values = ['', 'a', 0, -1.5, true, false, null]
  t.strictSame(values.filter((value) => !isScalar(value)), [])
})

test('isScalar refuses anything else', async (t) => {
  const values = [undefined, NaN, Infinity, 1n, Symbol('a'), {}, [], () => {}]
  t.strictSame(values.filter(isScalar), [])
})

test('withoutUndefined leaves out undefined fields only', async (t) => {
  t.strictSame(withoutUndefined({ a: undefined, b: null, c: 0, d: '' }), { b: null, c: 0, d: '' })
})

const ownThen = { then () {} }

test('recognizes values that await would wait for', async (t) => {
  const callable = Object.assign(() => {}, ownThen)
  for (const thenable of [Promise.resolve(), ownThen, callable]) t.ok(isThenable(thenable))
  for (const value of [undefined, null, 0, 'then', {}, { then: 1 }, () => {}]) {
    t.notOk(isThenable(value))
  }
})

test('adopts a promise whose overridden then does nothing, or throws', async (t) => {
  t.equal(await toNativePromise(Object.assign(Promise.resolve(7), ownThen)), 7)
  const error = new Error('no database')
  await t.rejects(toNativePromise(Object.assign(Promise.reject(error), ownThen)), error)
  await t.rejects(toNativePromise({ then () { throw error } }), error)
  await t.rejects(toNativePromise({ get then () { throw error } }), error)
})

test('ignores the rejection of any kind of promise', async (t) => {
  const surprises: unknown[] = []
  const keep = (err: unknown) => { surprises.push(err) }
  process.on('unhandledRejection', keep)
  t.teardown(() => process.off('unhandledRejection', keep))
  ignoreResult(Promise.reject(new Error('no database')))
  ignoreResult(Object.assign(Promise.reject(new Error('no database')), ownThen))
  ignoreResult({ then () { throw new Error('no promise') } })
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.strictSame(surprises, [])
})

test('verdictOf returns a boolean as it is', async (t) => {
  t.strictSame([verdictOf(true, 'the filter'), verdictOf(false, 'the filter')], [true, false])
})

for (const [title, answer] of [
  ['the -1 of indexOf', -1], ['0', 0], ['a string', 'yes'], ['an object', {}], ['null', null],
  ['undefined', undefined], ['a promise that resolves', Promise.resolve(true)]
] as const) {
  test(`verdictOf refuses ${title}`, async (t) => {
    t.throws(() => verdictOf(answer, 'the filter'), {
      code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', message: /^the filter must be a boolean, got /
    })
  })
}

test('verdictOf handles the rejection of a promise that it refuses', async (t) => {
  const rejecting = Promise.reject(new Error('no'))
  t.throws(() => verdictOf(rejecting, 'the filter'), { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
})
