import { AsyncResource } from 'node:async_hooks'
import { pino } from 'pino'
import { test } from 'tap'
import { createClients } from '../../../src/connections/client-registry.js'
import { createFanOut } from '../../../src/delivery/fan-out.js'
import { createTelemetry } from '../../../src/observability/telemetry.js'
import type { TimeSocketOptions } from '../../../src/api/options.js'
import { resolveOptions } from '../../../src/config/resolve-options.js'
import { createWallClock } from '../../../src/time/wall-clock.js'
import type { Tick } from '../../../src/api/content.js'
import { createTicks } from '../../../src/delivery/tick-delivery.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const START_MS = 1_795_262_400_000

/** Sends to clients each of whom takes 0.1 ms: a slice of 64 lasts 6.4 ms. */
function setUp (
  clientCount: number,
  { protocolOf = () => '', ...given }: TimeSocketOptions & { protocolOf?: (index: number) => string } = {}
) {
  const time = createFakeTime({ wallMs: START_MS })
  const { timers } = time
  const clock = createWallClock({ source: time.clock, timers, outageLog: createFakeOutageLog() })
  const fanOut = createFanOut(timers)
  const clients = createClients<object>()
  const options = resolveOptions<object>({ interval: 1000, format: 'timestamp', ...given })
  const log = pino({ level: 'silent' })
  const telemetry = createTelemetry<object>(timers)
  const ticks = createTicks({
    clients, fanOut, clock, timers, scope: new AsyncResource('test'), options, telemetry, log
  })
  const members = Array.from({ length: clientCount }, (_, index) =>
    createFakeClient({}, {}, protocolOf(index)))
  for (const { client, ws } of members) {
    const { send } = ws
    ws.send = (payload) => {
      time.stall(0.1)
      send.call(ws, payload)
    }
    clients.add(client)
  }
  return { time, ticks, members, clients, telemetry }
}

test('each slice of a tick has its own sent', async (t) => {
  const { time, members } = setUp(200)
  time.advance(1100)
  const sent = members.map(({ ws }) => ws.sent.map((text) => Number(text) - START_MS - 1000))
  t.ok(sent.every(({ length }) => length === 1))
  const [first, second] = [sent[0]?.[0], sent[64]?.[0]]
  t.ok(first === 0 && Number(second) >= 6, `${first}, then ${second}`)
  t.equal(new Set(sent.flat()).size, 4)
})

test('calls onTick at the end of the delivery, with the tick as it was at the start', async (t) => {
  const told: [Tick, object][] = []
  const { time, ticks } = setUp(200, { onTick: (tick, delivery) => told.push([tick, delivery]) })
  time.advance(1002)
  t.strictSame(told, [])
  time.advance(100)
  t.strictSame(told, [[
    { seq: 0, at: START_MS + 1000, sent: START_MS + 1000, interval: 1000, clockSteps: 0 },
    { delivered: 200, skipped: 0 }
  ]])
  t.equal(ticks.lastTick, told[0]?.[0])
})

for (const [title, onTick] of [
  ['throws', () => { throw new Error('of the user') }],
  ['rejects', async () => { throw new Error('of the user') }]
] satisfies [string, () => unknown][]) {
  test(`continues if onTick ${title}`, async (t) => {
    const { time, members } = setUp(1, { onTick })
    time.advance(3100)
    t.equal(members[0]?.ws.sent.length, 3)
  })
}

test('sends no tick while the previous one is still being sent', async (t) => {
  const { time, members } = setUp(300, { interval: 10 })
  time.advance(200)
  const counts = new Set(members.map(({ ws }) => ws.sent.length))
  t.ok([...counts].every((count) => count >= 3 && count <= 7), [...counts].join())
})

test('a client that leaves while a tick is being sent counts neither as delivered nor as skipped', async (t) => {
  let delivered: object | undefined
  const { time, members } = setUp(100, { onTick: (_tick, delivery) => { delivered = delivery } })
  time.advance(1002)
  members[99]?.client.terminate()
  time.advance(100)
  t.strictSame(delivered, { delivered: 99, skipped: 0 })
})

test('counts ticks sent, missed and failed, and how late they were', async (t) => {
  let isFailing = false
  const format = () => {
    if (isFailing) throw new Error('no words')
    return 'x'
  }
  const { time, telemetry } = setUp(1, { format })
  time.advance(2000)
  isFailing = true
  time.advance(1000)
  isFailing = false
  time.stall(2500)
  time.advance(1000)
  const { ticks, frames, lateness } = telemetry.read({ clients: 1, clockSteps: 0 })
  t.strictSame(ticks, { sent: 5, missed: 1, failed: 1 })
  t.strictSame(frames.skipped, 0)
  t.ok(lateness.max >= 400 && lateness.max < 600, String(lateness.max))
})

test('sends the tick message to clients of time.v1, with the sent of each slice', async (t) => {
  const protocolOf = (index: number) => index % 2 === 0 ? 'time.v1' : ''
  const { time, members } = setUp(200, { protocolOf })
  time.advance(1100)
  const told = members.filter((_, index) => index % 2 === 0)
    .map(({ ws }) => JSON.parse(String(ws.sent)))
  const { sent: lastSent, ...last } = told.at(-1)
  t.strictSame(told[0], {
    type: 'tick', seq: 0, at: START_MS + 1000, sent: START_MS + 1000, interval: 1000, clockSteps: 0
  })
  t.strictSame({ ...last, sent: told[0].sent }, told[0])
  t.equal(new Set(told.map(({ sent }) => sent)).size, 4)
  t.ok(lastSent >= START_MS + 1018, String(lastSent))
  t.match(members[1]?.ws.sent, [String(START_MS + 1000)])
})

test('a format that fails, or that no client uses, does not affect clients of time.v1', async (t) => {
  let calls = 0
  const format = () => {
    calls++
    throw new Error('no words')
  }
  const alone = setUp(2, { format, protocolOf: () => 'time.v1' })
  alone.time.advance(3000)
  t.strictSame([calls, alone.members.map(({ ws }) => ws.sent.length)], [0, [3, 3]])
  t.equal(alone.telemetry.counters.ticks.failed, 0)

  const both = setUp(2, { format, protocolOf: (index) => index === 0 ? 'time.v1' : '' })
  both.time.advance(3000)
  t.strictSame([calls, both.members.map(({ ws }) => ws.sent.length)], [3, [3, 0]])
  t.strictSame(both.telemetry.counters.ticks, { sent: 3, missed: 0, failed: 3 })
})

test('sends a new client the current tick in its wire format', async (t) => {
  const { time, ticks, members } = setUp(2, { protocolOf: (index) => index === 0 ? 'time.v1' : '' })
  time.advance(250)
  for (const { client } of members) ticks.sendCurrent(client)
  t.strictSame(members.map(({ ws }) => ws.sent), [
    [`{"type":"tick","seq":-1,"at":${START_MS},"sent":${START_MS + 250},"interval":1000,"clockSteps":0}`],
    // It took 0.1 ms to send the first.
    [String(START_MS + 250)]
  ])
})

test('encodes no tick for a new client that is closing already', async (t) => {
  let calls = 0
  const { time, ticks, members } = setUp(1, { format: () => String(++calls) })
  time.advance(250)
  for (const { client } of members) {
    client.close()
    ticks.sendCurrent(client)
  }
  t.equal(calls, 0)
})
