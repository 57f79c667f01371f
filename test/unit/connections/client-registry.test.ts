import { test } from 'tap'
import type { Client } from '../../../src/connections/client.js'
import { createClients } from '../../../src/connections/client-registry.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'

function setUp () {
  const calls: string[] = []
  const clients = createClients<object>()
  for (const name of ['a', 'b']) {
    clients.runWhileConnected({
      start: () => calls.push(`start ${name}`), stop: () => calls.push(`stop ${name}`)
    })
  }
  const [ada, bob] = ['ada', 'bob'].map((id) => ({ id })) as [Client<object>, Client<object>]
  return { clients, calls, ada, bob }
}

test('starts runners with the first client, and stops them when the last one has gone', async (t) => {
  const { clients, calls, ada, bob } = setUp()
  clients.add(ada)
  clients.add(bob)
  clients.remove(ada)
  t.strictSame([calls.splice(0), [...clients.byId.keys()]], [['start a', 'start b'], ['bob']])
  clients.remove(bob)
  clients.add(ada)
  t.strictSame(calls, ['stop a', 'stop b', 'start a', 'start b'])
})

test('openClients returns the clients that are not closing, and asks only about these', async (t) => {
  const { clients } = setUp()
  const members = ['a', 'b', 'c'].map((name) => createFakeClient({}, { context: { name } }))
  for (const { client } of members) clients.add(client)
  members[1]?.client.close()
  const asked: object[] = []
  const chosen = clients.openClients(({ context }) => asked.push(context) === 2)
  t.strictSame(asked, [{ name: 'a' }, { name: 'c' }])
  t.strictSame(chosen, [members[2]?.client])
  t.strictSame(clients.openClients(), [members[0]?.client, members[2]?.client])
})

test('whenEmpty resolves at once, or when the last client has gone', async (t) => {
  const { clients, ada } = setUp()
  await clients.whenEmpty()
  clients.add(ada)
  let resolvedCount = 0
  const waiting = [1, 2].map(() => clients.whenEmpty().then(() => { resolvedCount++ }))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(resolvedCount, 0)
  clients.remove(ada)
  await Promise.all(waiting)
  t.equal(resolvedCount, 2)
})

test('can be iterated while clients leave and join', async (t) => {
  const { clients, ada, bob } = setUp()
  clients.add(ada)
  const seen: string[] = []
  for (const client of clients.byId.values()) {
    seen.push(client.id)
    if (client === ada) {
      clients.remove(ada)
      clients.add(bob)
    }
  }
  t.strictSame(seen, ['ada', 'bob'])
})

test('the view shows the same clients in every way a map does', async (t) => {
  const { clients: { view, add }, ada, bob } = setUp()
  add(ada)
  add(bob)
  t.strictSame([view.size, view.get('ada'), view.has('bob'), view.has('cleo')], [2, ada, true, false])
  t.strictSame([[...view.keys()], [...view.values()]], [['ada', 'bob'], [ada, bob]])
  t.strictSame([[...view], [...view.entries()]], [[['ada', ada], ['bob', bob]], [['ada', ada], ['bob', bob]]])
  const seen: unknown[] = []
  view.forEach(function (this: string, client, id, map) {
    seen.push([this, client, id, map === view])
  }, 'this')
  t.strictSame(seen, [['this', ada, 'ada', true], ['this', bob, 'bob', true]])
})

test('the view cannot be changed, and gives no access to the map', async (t) => {
  const { clients: { view, byId, add }, ada } = setUp()
  add(ada)
  for (const name of ['set', 'delete', 'clear']) t.notOk(name in view)
  t.strictSame(Reflect.ownKeys(view), [])
  t.ok(Object.isFrozen(view))
  t.throws(() => Map.prototype.delete.call(view as Map<string, unknown>, 'ada'), TypeError)
  t.equal(byId.size, 1)
})
