import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { isPlainObject, isScalar, readMoment, show, withoutUndefined } from '../../../src/util/values.js'

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
