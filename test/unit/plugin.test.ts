import { test } from 'tap'
import type { CloseInfo, Tick, TickDelivery, TimeSocketClient } from '../../src/index.js'
import { simulateTimers } from '../helpers/fakes/simulated-timers.js'
import { createTimeApp } from '../helpers/network/app.js'
import { inject } from '../helpers/network/peer.js'
import { waitFor } from '../helpers/network/wait.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const START_MS = 1_795_262_400_000

test('gives a new client the time at once, then at every boundary', async (t) => {
  const ticks: Tick[] = []
  const { app } = await createTimeApp(t, { interval: 100, onTick: (tick) => ticks.push(tick) })
  const peer = await inject(app)
  const [immediate, ...told] = (await peer.received(4)).map((text) => Date.parse(String(text)))
  t.ok(Math.abs(Number(immediate) - Date.now()) < 10_000)
  t.strictSame(told, ticks.slice(0, 3).map(({ sent }) => Math.floor(sent)))
  t.strictSame(ticks.filter(({ at, sent }) => at % 100 !== 0 || sent < at), [])
})

test('without immediate the first message is the next tick', async (t) => {
  const ticks: Tick[] = []
  const { app } = await createTimeApp(t, {
    interval: 100, immediate: false, format: 'json', onTick: (tick) => ticks.push(tick)
  })
  const peer = await inject(app)
  const [first] = await peer.received(1)
  const { sent, ...tick } = JSON.parse(String(first))
  t.strictSame({ ...tick, sent: ticks[0]?.sent }, { type: 'tick', ...ticks[0] })
  const roundedMs = Math.abs(sent - Number(ticks[0]?.sent))
  t.ok(roundedMs < 0.006, `told to hundredths of a millisecond, ${roundedMs} off`)
  t.equal(ticks[0]?.seq, 0)
})

test('the immediate tick repeats the latest boundary and does not call onTick', async (t) => {
  // With real timers, a clock that stands still seems to step on a busy machine.
  simulateTimers(t)
  const ticks: Tick[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 3_600_000,
    format: 'json',
    onTick: (tick) => ticks.push(tick),
    clock: { now: () => START_MS + 2500 }
  })
  const peer = await inject(app)
  t.strictSame((await peer.received(1)).map((text) => JSON.parse(String(text))), [{
    type: 'tick', seq: -1, at: START_MS, sent: START_MS + 2500, interval: 3_600_000, clockSteps: 0
  }])
  t.strictSame([ticks, timeSocket.lastTick], [[], undefined])
})

test('calls onTick with each tick and the number of its recipients', async (t) => {
  const told: [Tick, TickDelivery][] = []
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 50, onTick: (tick, delivery) => told.push([tick, delivery])
  })
  await inject(app)
  await inject(app)
  await waitFor(() => told.length >= 3, 'the third tick')
  t.strictSame(told.slice(-1)[0]?.[1], { delivered: 2, skipped: 0 })
  t.equal(timeSocket.lastTick, told.slice(-1)[0]?.[0])
  t.strictSame(told.map(([{ seq }]) => seq), told.map((_, index) => index))
})

test('formats and frames a tick once, however many clients there are', async (t) => {
  const formatted: Tick[] = []
  const ticks: Tick[] = []
  const { app } = await createTimeApp(t, {
    interval: 100,
    immediate: false,
    format (tick) {
      formatted.push(tick)
      return 'now'
    },
    onTick: (tick) => ticks.push(tick)
  })
  const peers = await Promise.all(Array.from({ length: 20 }, () => inject(app)))
  await Promise.all(peers.map((peer) => peer.received(2)))
  t.strictSame(formatted, ticks)
})

test('lists connected clients with their address, protocol and context', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, {
    context: async (request) => ({ name: request.headers.name })
  })
  const before = timeSocket.now()
  const peer = await inject(app, '/time', {
    headers: { name: 'Ada' }, socket: { remoteAddress: '192.0.2.7', remotePort: 4711 }
  })
  const [[id, client] = ['', undefined]] = timeSocket.clients
  t.match(id, UUID)
  const { connectedAt, ...known } = client as TimeSocketClient<object>
  t.strictSame({ ...known }, {
    id,
    ip: '192.0.2.7',
    port: 4711,
    protocol: '',
    context: { name: 'Ada' },
    rtt: undefined,
    skippedTicks: 0
  })
  t.ok(connectedAt >= before && connectedAt <= timeSocket.now())
  peer.ws.close()
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
})

test('accepts a client without an address, with and without trustProxy', async (t) => {
  // Without a log: Fastify's own line for the request would throw.
  for (const trustProxy of [false, true]) {
    const { app, timeSocket } = await createTimeApp(t, {}, { trustProxy, logger: false })
    const peer = await inject(app)
    t.equal((await peer.received(1)).length, 1)
    const [client] = timeSocket.clients.values()
    t.strictSame([client?.ip, client?.port], ['', 0])
  }
})

test('no two clients have the same id', async (t) => {
  const { app, timeSocket } = await createTimeApp(t)
  await Promise.all(Array.from({ length: 50 }, () => inject(app)))
  t.equal(timeSocket.clients.size, 50)
})

test('a client in onClose has the context that onConnect has changed, and its code and reason', async (t) => {
  const closes: CloseInfo[] = []
  const { app, timeSocket } = await createTimeApp<{ seat: number }>(t, {
    context: () => ({ seat: 0 }),
    onConnect (client) { client.context.seat = timeSocket.clients.size },
    onClose (client, info) {
      t.equal(client.context.seat, 1)
      closes.push(info)
    }
  })
  const peer = await inject(app)
  peer.ws.close(4000, 'bye')
  await waitFor(() => closes.length > 0, 'onClose')
  t.strictSame(closes, [{ code: 4000, reason: 'bye', cause: 'client' }])
})

test('answers messages: text as string, bytes as Buffer', async (t) => {
  const received: unknown[] = []
  const { app } = await createTimeApp(t, {
    immediate: false,
    onMessage (client, data) {
      received.push(data)
      client.send(typeof data === 'string' ? `text ${data}` : data)
    }
  })
  const peer = await inject(app)
  peer.ws.send('é')
  peer.ws.send(Buffer.of(0, 255))
  peer.ws.send('')
  t.strictSame(await peer.received(3), ['text é', Buffer.of(0, 255), 'text '])
  t.strictSame(received, ['é', Buffer.of(0, 255), ''])
})

test('stops its timer when the last client has gone, and starts it with the next', async (t) => {
  const ticks: Tick[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 20, onTick: (tick) => ticks.push(tick)
  })
  for (const round of [1, 2]) {
    const peer = await inject(app)
    await peer.received(3)
    peer.ws.close()
    await waitFor(() => timeSocket.clients.size === 0, 'leaving')
    const count = ticks.length
    await new Promise((resolve) => setTimeout(resolve, 60))
    t.equal(ticks.length, count, `no tick to nobody in round ${round}`)
  }
  t.strictSame(ticks.map(({ seq }) => seq), ticks.map((_, index) => index))
})

test('sends the time of the given clock', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, { clock: { now: () => START_MS + 0.25 } })
  t.equal(timeSocket.now(), START_MS + 0.25)
  t.strictSame(await (await inject(app)).received(1), [new Date(START_MS).toISOString()])
  const { now } = (await app.inject('/time')).json()
  t.equal(now, START_MS + 0.25)
})

test('without a clock, adds fractions to the system clock', async (t) => {
  const { timeSocket } = await createTimeApp(t)
  const times = []
  for (let count = 0; count < 100; count++) {
    const [beforeMs, nowMs, afterMs] = [Date.now(), timeSocket.now(), Date.now()]
    if (nowMs >= beforeMs && nowMs < afterMs + 1) times.push(nowMs)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(times.length, 100)
  t.ok(times.some((nowMs) => nowMs % 1 !== 0))
})

test('callbacks cannot change the objects that other callbacks get', async (t) => {
  const infos: CloseInfo[] = []
  const ticks: Tick[] = []
  const { app } = await createTimeApp(t, {
    interval: 20,
    format (tick) {
      ticks.push(tick)
      return 'now'
    },
    onTick: (tick, delivery) => { t.ok(Object.isFrozen(tick) && Object.isFrozen(delivery)) },
    onClose: (_client, info) => infos.push(info)
  })
  await (await inject(app)).received(3)
  await app.close()
  t.ok([...ticks, ...infos].every(Object.isFrozen))
  t.equal(infos.length, 1)
})
