import { pino } from 'pino'
import { test } from 'tap'
import { createClients } from '../src/clients.js'
import { createFanOut } from '../src/fan-out.js'
import { createObserver } from '../src/observer.js'
import { resolveOptions } from '../src/options.js'
import type { TimeSocketOptions } from '../src/options.js'
import { createServerClock } from '../src/server-clock.js'
import type { Tick } from '../src/ticker.js'
import { createTicks } from '../src/ticks.js'
import { createFakeClient } from './helpers/fake-client.js'
import { createFakeFault } from './helpers/fake-fault.js'
import { createFakeTime } from './helpers/fake-time.js'

const START_MS = 1_795_262_400_000

/** Sends to clients each of whom takes 0.1 ms: a slice of 64 lasts 6.4 ms. */
function setUp (clientCount: number, given: TimeSocketOptions = {}) {
  const time = createFakeTime({ wallMs: START_MS })
  const { timers } = time
  const clock = createServerClock({ source: time.clock, timers, fault: createFakeFault() })
  const fanOut = createFanOut<object>(timers)
  const clients = createClients<object>({
    onFirst: () => ticks.start(), onEmpty: () => ticks.stop()
  })
  const options = resolveOptions<object>({ interval: 1000, format: 'epoch', ...given })
  const log = pino({ level: 'silent' })
  const observer = createObserver<object>(timers)
  const ticks = createTicks({ clients, fanOut, clock, timers, options, observer, log })
  const members = Array.from({ length: clientCount }, () => createFakeClient())
  for (const { client, ws } of members) {
    const { send } = ws
    ws.send = (payload) => {
      time.stall(0.1)
      send.call(ws, payload)
    }
    clients.add(client)
  }
  return { time, ticks, members, clients, observer }
}

test('each slice of a tick says when it was sent', async (t) => {
  const { time, members } = setUp(200)
  time.advance(1100)
  const sent = members.map(({ ws }) => ws.sent.map((text) => Number(text) - START_MS - 1000))
  t.ok(sent.every(({ length }) => length === 1))
  const [first, second] = [sent[0]?.[0], sent[64]?.[0]]
  t.ok(first === 0 && Number(second) >= 6, `${first}, then ${second}`)
  t.equal(new Set(sent.flat()).size, 4)
})

test('tells onTick at the end, with the tick as it began', async (t) => {
  const told: [Tick, object][] = []
  const { time, ticks } = setUp(200, { onTick: (tick, delivery) => told.push([tick, delivery]) })
  time.advance(1002)
  t.strictSame(told, [])
  time.advance(100)
  t.strictSame(told, [[
    { seq: 0, at: START_MS + 1000, sent: START_MS + 1000, interval: 1000, epoch: 0 },
    { delivered: 200, skipped: 0 }
  ]])
  t.equal(ticks.lastTick, told[0]?.[0])
})

test('leaves out a tick that is due while the one before is on its way', async (t) => {
  const { time, members } = setUp(300, { interval: 10 })
  time.advance(200)
  const counts = new Set(members.map(({ ws }) => ws.sent.length))
  t.ok([...counts].every((count) => count >= 3 && count <= 7), [...counts].join())
})

test('who leaves while a tick is on its way is neither delivered nor skipped', async (t) => {
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
  const { time, observer } = setUp(1, { format })
  time.advance(2000)
  isFailing = true
  time.advance(1000)
  isFailing = false
  time.stall(2500)
  time.advance(1000)
  const { ticks, frames, lateness } = observer.read({ clients: 1, epoch: 0 })
  t.strictSame(ticks, { sent: 5, missed: 1, failed: 1 })
  t.strictSame(frames.skipped, 0)
  t.ok(lateness.max >= 400 && lateness.max < 600, String(lateness.max))
})
