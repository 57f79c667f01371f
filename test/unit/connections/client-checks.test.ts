import { Socket } from 'node:net'
import { test } from 'tap'
import type { Expiry } from '../../../src/connections/client.js'
import { createClients } from '../../../src/connections/client-registry.js'
import { startClientChecks } from '../../../src/connections/client-checks.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

interface SetUpOptions {
  expiry?: Expiry
  socket?: Socket
}

function expiryAt (dueMs: number): Expiry {
  return { at: dueMs, dueMs }
}

function setUp (given: SetUpOptions = {}) {
  const time = createFakeTime({ wallMs: 0 })
  const { timers, advance, stall } = time
  const clients = createClients<object>()
  startClientChecks({ clients, timers, heartbeat: undefined, maxMessageBytes: 1000 })
  const member = createFakeClient({ onClosed: (client) => clients.remove(client) }, given)
  clients.add(member.client)
  return { time, advance, stall, ...member, clients }
}

test('closes a client with 4401 when its permission ends, within a quarter of a second', async (t) => {
  const { advance, ws } = setUp({ expiry: expiryAt(60_000) })
  advance(59_999)
  t.strictSame(ws.sent, [])
  advance(251)
  t.strictSame(ws.sent, ['close 4401'])
})

test('a permission may last longer than the longest timer of Node', async (t) => {
  const { stall, ws } = setUp({ expiry: expiryAt(50 * 86_400_000) })
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

test('ends many permissions, each on time, with one timer', async (t) => {
  const { time, clients } = setUp()
  const members = Array.from({ length: 100 }, (_, index) =>
    createFakeClient({}, { expiry: expiryAt((index + 1) * 86_400_000) }))
  for (const { client } of members) clients.add(client)
  t.equal(time.pendingCount, 1)
  for (const days of [1, 24, 25, 26, 99]) {
    time.stall(days * 86_400_000 - time.timers.monotonic())
    const ended = members.filter(({ ws }) => ws.sent.includes('close 4401'))
    t.strictSame([ended.length, time.pendingCount], [days, 1])
  }
})

test('has one timer while clients are connected, and none otherwise', async (t) => {
  const { time, clients, client } = setUp()
  t.equal(time.pendingCount, 1)
  time.advance(1000)
  t.equal(time.pendingCount, 1)
  clients.remove(client)
  t.equal(time.pendingCount, 0)
})

/** A socket whose `bytesRead` the test sets. */
function createCountingSocket () {
  const counter = { bytesRead: 300 }
  const socket = new Socket()
  Object.defineProperty(socket, 'bytesRead', { get: () => counter.bytesRead })
  return { counter, socket }
}

test('pings and pongs are no unfinished message, however many there are', async (t) => {
  const { counter, socket } = createCountingSocket()
  const { advance, ws } = setUp({ socket })
  for (let count = 0; count < 10_000; count++) {
    counter.bytesRead += 6 + 4
    ws.emit('pong', Buffer.alloc(4))
  }
  for (let count = 0; count < 1000; count++) {
    counter.bytesRead += 6 + 125
    ws.emit('ping', Buffer.alloc(125))
  }
  advance(1000)
  t.strictSame(ws.sent, [])
})

test('pings that are read together with a message count once', async (t) => {
  const { counter, socket } = createCountingSocket()
  const { advance, ws } = setUp({ socket })
  counter.bytesRead += 1000 + 100 * (6 + 125)
  ws.emit('message', Buffer.from('whole'), false)
  for (let count = 0; count < 100; count++) ws.emit('ping', Buffer.alloc(125))
  counter.bytesRead += 1000 + 65_536 + 1
  advance(1000)
  t.strictSame(ws.sent, ['close 1009'])
})

test('closes a client with 1009 that sends pongs between the fragments of an endless message', async (t) => {
  const { counter, socket } = createCountingSocket()
  const { advance, ws } = setUp({ socket })
  for (let count = 0; count < 100; count++) {
    counter.bytesRead += 1000 + 6 + 4
    ws.emit('pong', Buffer.alloc(4))
  }
  advance(1000)
  t.strictSame(ws.sent, ['close 1009'])
})

test('closes a client with 1009 that holds more than 64 KiB beyond a message without finishing it', async (t) => {
  const { counter, socket } = createCountingSocket()
  const { advance, ws } = setUp({ socket })
  counter.bytesRead += 1000 + 65_536
  advance(1000)
  t.strictSame(ws.sent, [])
  ws.emit('message', Buffer.from('finished'), false)
  counter.bytesRead += 1000 + 65_536
  advance(1000)
  t.strictSame(ws.sent, [])
  counter.bytesRead++
  advance(250)
  t.strictSame(ws.sent, ['close 1009'])
})
