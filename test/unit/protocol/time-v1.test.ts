import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'tap'
import type { TimeSocketClient } from '../../../src/index.js'
import { simulateTimers } from '../../helpers/fakes/simulated-timers.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]

const START_MS = 1_795_262_400_000
const PROTOCOLS = { protocols: ['time.v1'] }
/** The tick of a client that comes before the first, an hour being the interval. */
const IMMEDIATE = {
  type: 'tick', seq: -1, at: START_MS, sent: START_MS + 5000.25, interval: 3_600_000, clockSteps: 0
}

/** A time socket on a real port, whose clock stands still. */
async function setUp (t: Test, options: Parameters<typeof createTimeApp>[1] = {}) {
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 3_600_000, clock: { now: () => START_MS + 5000.25 }, format: () => 'plain', ...options
  })
  const url = `127.0.0.1:${await listen(app)}/time`
  return { app, timeSocket, url, join: () => connect(`ws://${url}`, PROTOCOLS) }
}

function read (peer: Peer): unknown[] {
  return peer.messages.map((text) => typeof text === 'string' ? JSON.parse(text) : text)
}

test('on a real port, sends hello as the first message', async (t) => {
  const onConnection = (message: unknown) => {
    (message as { client: TimeSocketClient }).client.send('from a subscriber')
  }
  simulateTimers(t)
  subscribe('fastify-time-socket:connect', onConnection)
  t.teardown(() => unsubscribe('fastify-time-socket:connect', onConnection))
  const { url, join } = await setUp(t, { onConnect: (client) => client.send('from onConnect') })
  const peer = await join()
  await peer.received(4)
  const { server } = await (await fetch(`http://${url}`)).json() as { server: string }
  t.strictSame(read(peer), [
    { type: 'hello', server, interval: 3_600_000, clockSteps: 0 },
    { type: 'message', data: 'from a subscriber' },
    { type: 'message', data: 'from onConnect' },
    IMMEDIATE
  ])
})

test('hello includes a clock step that happened while no client was connected', async (t) => {
  let stepMs = 0
  const { timeSocket, join } = await setUp(t, { clock: { now: () => Date.now() + stepMs } })
  const first = await join()
  first.ws.close()
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  stepMs = 3000
  const peer = await join()
  await peer.received(2)
  t.match(read(peer), [{ type: 'hello', clockSteps: 1 }, { type: 'tick', clockSteps: 1 }])
})

test('wraps messages to clients of time.v1, and sends other clients the plain form', async (t) => {
  simulateTimers(t)
  const { timeSocket, url, join } = await setUp(t)
  const [page, plain] = [await join(), await connect(`ws://${url}`)]
  for (const data of ['x', { sold: [1] }, Buffer.of(1, 2)]) {
    t.equal(timeSocket.broadcast(data), 2)
    for (const client of timeSocket.clients.values()) client.send(data)
  }
  await Promise.all([page.received(8), plain.received(7)])
  t.strictSame(read(page).slice(1), [
    IMMEDIATE,
    { type: 'message', data: 'x' },
    { type: 'message', data: 'x' },
    { type: 'message', data: { sold: [1] } },
    { type: 'message', data: { sold: [1] } },
    Buffer.of(1, 2),
    Buffer.of(1, 2)
  ])
  t.strictSame(plain.messages, [
    'plain', 'x', 'x', '{"sold":[1]}', '{"sold":[1]}', Buffer.of(1, 2), Buffer.of(1, 2)
  ])
})

test('sends ticks in the format json, whatever the option format', async (t) => {
  const { url } = await setUp(t, { interval: 50, format: 'json', clock: Date })
  const [page, json] = [await connect(`ws://${url}`, PROTOCOLS), await connect(`ws://${url}`)]
  await Promise.all([page.received(6), json.received(5)])
  const ticks = (peer: Peer) => (read(peer) as { type: string, seq: number }[])
    .filter(({ type }) => type === 'tick').slice(-2)
  const [tick] = ticks(page)
  t.match(tick, { type: 'tick', seq: Number, at: Number, sent: Number, interval: 50, clockSteps: 0 })
  t.strictSame(Object.keys(tick ?? {}), Object.keys(ticks(json)[0] ?? {}))
})

test('answers a sync while onConnect is pending; messages wait for it', async (t) => {
  let connected = (): void => {}
  const told: unknown[] = []
  const { timeSocket, join } = await setUp(t, {
    immediate: false,
    onConnect: () => new Promise<void>((resolve) => { connected = resolve }),
    onMessage: (_client, data) => told.push(data)
  })
  const peer = await join()
  peer.ws.send('{"type":"message","data":{"bid":5}}')
  peer.ws.send('{"type":"sync","id":7}')
  await peer.received(2)
  const [, { hold, ...reply }] = read(peer) as [unknown, { hold: number }]
  // The clock stands still: on a busy machine that is a step.
  t.match(reply, { type: 'sync', id: 7, at: START_MS + 5000.25, clockSteps: Number })
  t.ok(hold >= 0, String(hold))
  t.strictSame(told, [])
  connected()
  await waitFor(() => told.length > 0, 'the message')
  peer.ws.send('{"type":"unheard of"}')
  peer.ws.send(Buffer.of(7))
  await waitFor(() => told.length > 1, 'the bytes')
  t.strictSame(told, ['{"bid":5}', Buffer.of(7)])
  t.strictSame(timeSocket.stats().messages, { received: 4, ignored: 1 })
})

test('a client of time.v1 that sends sync requests without end is closed with 1008', async (t) => {
  const { join } = await setUp(t)
  const peer = await join()
  for (let count = 0; count < 250; count++) peer.ws.send('{"type":"sync","id":1}')
  t.strictSame(await peer.closed, [1008, 'too many messages'])
  const replies = read(peer).filter((message) => (message as { type: string }).type === 'sync')
  // 20 at once, and ten more in a second.
  t.ok(replies.length >= 20 && replies.length < 60, String(replies.length))
})
