import { test } from 'tap'
import { isSilent } from '../../../src/connections/client.js'
import { createClients } from '../../../src/connections/client-registry.js'
import { createHeartbeat } from '../../../src/connections/heartbeat.js'
import { startClientChecks } from '../../../src/connections/client-checks.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

/** 40 rounds of 250 ms in the interval, and 8 in the timeout. */
const OPTIONS = { interval: 10_000, timeout: 2000 }

function setUp (clientCount = 1) {
  const time = createFakeTime({ wallMs: 0 })
  const { timers } = time
  const clients = createClients<object>()
  const heartbeat = createHeartbeat(OPTIONS)
  startClientChecks({ clients, timers, heartbeat, maxMessageBytes: 100 })
  const members = Array.from({ length: clientCount }, () => createFakeClient())
  for (const { client } of members) clients.add(client)
  /** The client answers the latest ping. */
  const pong = ({ ws }: (typeof members)[0]) => {
    const [, payload = ''] = ws.sent.at(-1)?.split(' ') ?? []
    ws.emit('pong', Buffer.from(payload, 'hex'))
  }
  return { time, heartbeat, members, first: members[0] as (typeof members)[0], pong }
}

test('pings a client once per interval, and measures the round trip', async (t) => {
  const { time, first, pong } = setUp()
  const counts = []
  for (let interval = 0; interval < 3; interval++) {
    for (let ms = 0; ms < OPTIONS.interval; ms += 100) {
      const before = first.ws.sent.length
      time.advance(100)
      if (first.ws.sent.length > before) pong(first)
    }
    counts.push(first.ws.sent.length)
  }
  t.strictSame(counts, [1, 2, 3])
  t.ok(first.ws.sent.every((frame) => /^ping [0-9a-f]{8}$/.test(frame)))
  t.ok((first.client.rtt ?? -1) >= 0)
  t.notOk(first.ws.isTerminated)
})

test('spreads the pings of clients that connect together over the interval', async (t) => {
  const { time, members } = setUp(40)
  const perSecond = []
  for (let second = 0; second < 11; second++) {
    const before = members.filter(({ ws }) => ws.sent.length > 0).length
    time.advance(1000)
    perSecond.push(members.filter(({ ws }) => ws.sent.length > 0).length - before)
    for (const { ws } of members) ws.emit('pong', Buffer.alloc(0))
  }
  t.ok(perSecond.every((count) => count <= 5), String(perSecond))
  t.equal(perSecond.reduce((sum, count) => sum + count), 40)
})

test('terminates a client that sends nothing within the timeout', async (t) => {
  const { time, first } = setUp()
  while (first.ws.sent.length === 0) time.advance(10)
  const pingedMs = time.timers.monotonic()
  while (!first.ws.isTerminated) time.advance(10)
  const tookMs = time.timers.monotonic() - pingedMs
  t.ok(tookMs > OPTIONS.timeout && tookMs <= OPTIONS.timeout + 500, String(tookMs))
  t.equal(first.ws.sent.length, 1)
})

test('any message shows that a client is alive, and so does a pong that answers no ping', async (t) => {
  for (const event of ['message', 'pong']) {
    const { time, first } = setUp()
    for (let ms = 0; ms < 60_000; ms += 1000) {
      time.advance(1000)
      first.ws.emit(event, Buffer.from('hi'), false)
    }
    t.notOk(first.ws.isTerminated)
    t.equal(first.client.rtt, undefined, 'no answer to a ping of ours')
  }
})

test('a pong with other bytes than the latest ping shows that the client is alive, but gives no round trip', async (t) => {
  const { time, first, pong } = setUp()
  while (first.ws.sent.length === 0) time.advance(10)
  for (const bytes of ['', '00', 'ffffffff', '0000000000']) {
    first.ws.emit('pong', Buffer.from(bytes, 'hex'))
  }
  t.equal(first.client.rtt, undefined)
  t.notOk(isSilent(first.client))
  pong(first)
  t.ok((first.client.rtt ?? -1) >= 0)
})

test('a stall of any length does not terminate a client that answers afterwards', async (t) => {
  const { time, first, pong } = setUp()
  for (const stallMs of [3000, 12_000, 3_600_000]) {
    const before = first.ws.sent.length
    while (first.ws.sent.length === before) time.advance(10)
    time.stall(stallMs)
    time.advance(OPTIONS.timeout - 300)
    t.notOk(first.ws.isTerminated, `${stallMs} ms`)
    pong(first)
    time.advance(OPTIONS.interval / 2)
  }
  t.notOk(first.ws.isTerminated)
})

test('a round trip during a stall of this process does not count, but the round trip of a slow client does', async (t) => {
  const { time, heartbeat, first: { client, ws } } = setUp()
  while (ws.sent.length === 0) time.advance(10)
  t.notOk(heartbeat.wasStalled(client, 499))
  time.advance(1000)
  t.notOk(heartbeat.wasStalled(client, 1000))
  time.stall(3000)
  t.ok(heartbeat.wasStalled(client, 4000))
})
