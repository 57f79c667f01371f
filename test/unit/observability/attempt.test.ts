import { test } from 'tap'
import { attempt } from '../../../src/observability/attempt.js'
import { createFakeFault } from '../../helpers/fakes/fake-fault.js'

const error = new Error('no database')

const outcomes: [title: string, call: () => unknown, worked: boolean, isAsync: boolean][] = [
  ['returns', () => 'x', true, false],
  ['returns nothing', () => {}, true, false],
  ['returns null', () => null, true, false],
  ['throws', () => { throw error }, false, false],
  ['resolves', async () => 'x', true, true],
  ['rejects', async () => { throw error }, false, true],
  ['returns a thenable that fails', () => ({ then: (_: unknown, fail: (err: Error) => void) => fail(error) }), false, true],
  ['returns a thenable that throws', () => ({ then () { throw error } }), false, true],
  ['returns what has a then that cannot be read', () => ({ get then () { throw error } }), false, false]
]

for (const [title, call, worked, isAsync] of outcomes) {
  test(`a callback that ${title} ${worked ? 'worked' : 'failed'}`, async (t) => {
    const fault = createFakeFault()
    const result = attempt(fault, call)
    t.equal(result instanceof Promise, isAsync)
    t.equal(await result, worked)
    t.strictSame(fault.told, [worked ? 'worked' : error])
  })
}

test('one that never settles tells nothing', async (t) => {
  const fault = createFakeFault()
  attempt(fault, () => new Promise(() => {}))
  await new Promise((resolve) => setTimeout(resolve, 5))
  t.strictSame(fault.told, [])
})
