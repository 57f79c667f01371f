import { test } from 'tap'
import { adopt, disregard, isThenable } from '../../../src/util/thenable.js'

const ownThen = { then () {} }

test('tells what await would wait for from what it would not', async (t) => {
  const callable = Object.assign(() => {}, ownThen)
  for (const thenable of [Promise.resolve(), ownThen, callable]) t.ok(isThenable(thenable))
  for (const value of [undefined, null, 0, 'then', {}, { then: 1 }, () => {}]) {
    t.notOk(isThenable(value))
  }
})

test('adopts a promise whose own then does nothing, or throws', async (t) => {
  t.equal(await adopt(Object.assign(Promise.resolve(7), ownThen)), 7)
  const error = new Error('no database')
  await t.rejects(adopt(Object.assign(Promise.reject(error), ownThen)), error)
  await t.rejects(adopt({ then () { throw error } }), error)
  await t.rejects(adopt({ get then () { throw error } }), error)
})

test('disregards a rejection, whatever the promise is', async (t) => {
  const surprises: unknown[] = []
  const keep = (err: unknown) => { surprises.push(err) }
  process.on('unhandledRejection', keep)
  t.teardown(() => process.off('unhandledRejection', keep))
  disregard(Promise.reject(new Error('no database')))
  disregard(Object.assign(Promise.reject(new Error('no database')), ownThen))
  disregard({ then () { throw new Error('no promise') } })
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.strictSame(surprises, [])
})
