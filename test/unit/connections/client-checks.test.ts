import { test } from 'tap'
import { createClients } from '../../../src/connections/client-registry.js'
import { createWatch } from '../../../src/connections/client-checks.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

function setUp (expiresMs?: number) {
  const time = createFakeTime({ wallMs: 0 })
  const { timers, advance, stall } = time
  const clients = createClients<object>({
    onFirst: () => watch.start(), onEmpty: () => watch.stop()
  })
  const watch = createWatch<object>({ clients, timers, heartbeat: undefined })
  const member = createFakeClient({ closed: (client) => clients.remove(client) }, { expiresMs })
  clients.add(member.client)
  return { time, advance, stall, ...member, watch, clients }
}

test('closes a client with 4401 when its permission ends, within a quarter of a second', async (t) => {
  const { advance, ws } = setUp(60_000)
  advance(59_999)
  t.strictSame(ws.sent, [])
  advance(251)
  t.strictSame(ws.sent, ['close 4401'])
})

test('a permission may last longer than any timer of Node\'s', async (t) => {
  const { stall, ws } = setUp(50 * 86_400_000)
  stall(49 * 86_400_000)
  t.strictSame(ws.sent, [])
  stall(86_400_000)
  t.strictSame(ws.sent, ['close 4401'])
})

test('terminates a client that does not finish closing', async (t) => {
  const { advance, client, ws } = setUp()
  client.close()
  advance(5000)
  t.notOk(ws.isTerminated)
  advance(500)
  t.ok(ws.isTerminated)
})

test('ends many permissions, each in its time, with one timer for all of them', async (t) => {
  const { time, clients } = setUp()
  const members = Array.from({ length: 100 }, (_, index) =>
    createFakeClient({}, { expiresMs: (index + 1) * 86_400_000 }))
  for (const { client } of members) clients.add(client)
  t.equal(time.pendingCount, 1)
  for (const days of [1, 24, 25, 26, 99]) {
    time.stall(days * 86_400_000 - time.timers.monotonic())
    const ended = members.filter(({ ws }) => ws.sent.includes('close 4401'))
    t.strictSame([ended.length, time.pendingCount], [days, 1])
  }
})

test('has one timer while somebody is connected, and none else', async (t) => {
  const { time, watch, clients, client } = setUp()
  t.equal(time.pendingCount, 1)
  watch.start()
  time.advance(1000)
  t.equal(time.pendingCount, 1)
  clients.remove(client)
  t.equal(time.pendingCount, 0)
})
