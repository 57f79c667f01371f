import { test } from 'tap'
import { adopt, disregard, isThenable, verdictOf } from '../../../src/util/callbacks.js'

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
