import { test } from 'tap'
import { createCondition, everybody } from '../../../src/delivery/recipients.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'

const { client } = createFakeClient({}, { context: { room: 1, vip: null } })

test('is the one condition for everybody where nothing is asked for', async (t) => {
  t.equal(createCondition({}), everybody)
  t.equal(createCondition({ where: {}, except: [], local: true, key: 'k' }), everybody)
  t.equal(everybody(), true)
})

for (const [title, options, expected] of [
  ['a field that has the value', { where: { room: 1 } }, true],
  ['one of several values', { where: { room: [2, 1] } }, true],
  ['another value', { where: { room: 2 } }, false],
  ['null', { where: { vip: null } }, true],
  ['a field that is not there', { where: { seat: null } }, false],
  ['fields of which one differs', { where: { room: 1, vip: true } }, false],
  ['an exception', { except: client.id }, false],
  ['exceptions', { except: ['x', client.id] }, false],
  ['other exceptions', { except: ['x'] }, true],
  ['a filter', { filter: () => false }, false],
  ['everything that holds', { where: { room: 1 }, except: 'x', filter: () => true }, true]
] as const) {
  test(`${expected ? 'chooses' : 'leaves out'} a client by ${title}`, async (t) => {
    t.equal(createCondition(options)(client), expected)
  })
}

test('a filter that throws, or answers with a promise, throws', async (t) => {
  t.throws(() => createCondition({ filter () { throw new Error('no') } })(client), { message: 'no' })
  t.throws(() => createCondition({ filter: (async () => true) as never })(client),
    { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
})
