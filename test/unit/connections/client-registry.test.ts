import { test } from 'tap'
import type { Client } from '../../../src/connections/client.js'
import { createClients } from '../../../src/connections/client-registry.js'

function setUp () {
  const told: string[] = []
  const clients = createClients<object>({
    onFirst: () => told.push('first'), onEmpty: () => told.push('empty')
  })
  const [ada, bob] = ['ada', 'bob'].map((id) => ({ id })) as [Client<object>, Client<object>]
  return { clients, told, ada, bob }
}

test('tells when the first comes and when the last has gone', async (t) => {
  const { clients, told, ada, bob } = setUp()
  clients.add(ada)
  clients.add(bob)
  clients.remove(ada)
  t.strictSame([told, [...clients.byId.keys()]], [['first'], ['bob']])
  clients.remove(bob)
  clients.add(ada)
  t.strictSame(told, ['first', 'empty', 'first'])
})

test('whenEmpty resolves at once, or when the last has gone', async (t) => {
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

test('can be walked through while clients leave and join', async (t) => {
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
