import { test } from 'tap'
import { isScalar } from '../../../src/util/scalar.js'

test('isScalar takes what JSON can express and === compares', async (t) => {
  const values = ['', 'a', 0, -1.5, true, false, null]
  t.strictSame(values.filter((value) => !isScalar(value)), [])
})

test('isScalar refuses anything else', async (t) => {
  const values = [undefined, NaN, Infinity, 1n, Symbol('a'), {}, [], () => {}]
  t.strictSame(values.filter(isScalar), [])
})
