import { test } from 'tap'
import { show } from '../../../src/util/show.js'

const shown: [value: unknown, text: string][] = [
  ['5', "'5'"], [5, '5'], [-0, '-0'], [NaN, 'NaN'], [1n, '1n'], [undefined, 'undefined'], [null, 'null'],
  [[1, [2]], '[ 1, [Array] ]'], [{ a: { b: 1 } }, '{ a: [Object] }'],
  [Symbol('x'), 'Symbol(x)'], [Object.create(null), '[Object: null prototype] {}'],
  ['x'.repeat(98), `'${'x'.repeat(98)}'`], ['x'.repeat(99), `'${'x'.repeat(99)}…`],
  [Symbol('a\nb'), 'Symbol(a b)'],
  [{ get [Symbol.toStringTag] () { throw new Error('no') } }, 'object'],
  ['two\nlines', "'two\\nlines'"]
]

for (const [value, text] of shown) {
  test(`shows ${text}`, async (t) => {
    t.equal(show(value), text)
  })
}

test('runs nothing of the value\'s own', async (t) => {
  const value = {
    [Symbol.for('nodejs.util.inspect.custom')] () { throw new Error('ran') },
    get field () { throw new Error('ran') }
  }
  t.match(show(value), 'field: [Getter]')
})
