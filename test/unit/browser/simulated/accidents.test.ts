import { test } from 'tap'
import { ServerClock } from '../../../../src/browser/index.js'
import type { ProfileName } from '../../../helpers/simulation/profiles.js'
import { PROFILES } from '../../../helpers/simulation/profiles.js'
import { createSimulatedDevice } from '../../../helpers/simulation/simulated-device.js'
import { createSimulatedServer } from '../../../helpers/simulation/simulated-server.js'
import type { SimulatedServer } from '../../../helpers/simulation/simulated-server.js'
import { createTimeline } from '../../../helpers/simulation/timeline.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

interface SetUpOptions {
  profile?: ProfileName
  resolutionMs?: number
  kind?: SimulatedServer['kind']
}

const SETTLED_MS = 120_000
const LOOK_MS = 50
/** Times since 1970 have no finer fractions, and those on the wire have two decimals. */
const ROUNDING_MS = 0.006

/** The real client in a simulated page, connected to its server since two minutes. */
async function setUp (
  t: Test, { profile = 'cable', resolutionMs = 0.1, kind = 'time.v1' }: SetUpOptions = {}
) {
  const timeline = createTimeline()
  const server = Object.assign(createSimulatedServer({ timeline, seed: 4711 }), { kind })
  const device = createSimulatedDevice({
    timeline, seed: 4711, server, profile: PROFILES[profile], resolutionMs, wallAheadMs: 90_000
  })
  const { environment } = device
  const clock = new ServerClock('wss://example.org/time', { environment })
  t.teardown(() => clock.close())
  const events: string[] = []
  for (const name of ['open', 'close', 'step', 'refused'] as const) {
    clock.addEventListener(name, () => { events.push(name) })
  }
  const wrongMs = () => Math.abs(clock.now() - server.now())
  let violationCount = 0

  /** Lets time pass, looking at the clock all the while. */
  async function pass (ms: number): Promise<void> {
    for (const untilMs = timeline.nowMs + ms; timeline.nowMs < untilMs;) {
      await timeline.run(timeline.nowMs + LOOK_MS)
      if (wrongMs() > clock.error + ROUNDING_MS) violationCount++
    }
  }

  /** Milliseconds until it is known to ± `errorMs`, and right. */
  async function recover (errorMs: number): Promise<number> {
    const startMs = timeline.nowMs
    while (!(clock.error <= errorMs && wrongMs() <= errorMs)) {
      if (timeline.nowMs - startMs > 120_000) return Infinity
      await timeline.run(timeline.nowMs + LOOK_MS)
    }
    return timeline.nowMs - startMs
  }

  await pass(SETTLED_MS)
  events.length = 0
  const violations = () => violationCount
  return { timeline, server, device, clock, events, wrongMs, pass, recover, violations }
}

test('after five minutes of sleep, the clock is right within a second', async (t) => {
  const { device, timeline, events, recover, pass, violations } = await setUp(t)
  device.sleep(300_000)
  await timeline.run(timeline.nowMs + 300_000)
  const tookMs = await recover(20)
  t.ok(tookMs < 1000, `${tookMs} ms`)
  t.ok(events.includes('step'))
  await pass(60_000)
  t.equal(violations(), 0)
})

test('the clock follows a step of the server\'s clock as soon as it is announced', async (t) => {
  for (const stepMs of [-3_600_000, -400, 400, 90_000_000]) {
    const { server, clock, timeline, pass, recover, violations } = await setUp(t)
    server.step(stepMs)
    const clockSteps = new Promise((resolve) => { clock.addEventListener('tick', resolve) })
    // Until the next tick nobody can know.
    await timeline.run(timeline.nowMs + 5100)
    await clockSteps
    const tookMs = await recover(20)
    t.ok(tookMs <= 2 * LOOK_MS, `${tookMs} ms after ${stepMs}`)
    await pass(60_000)
    t.equal(violations(), 0)
  }
})

test('setting the device\'s clock does not change the time shown', async (t) => {
  const { device, events, wrongMs, pass, violations } = await setUp(t)
  for (const stepMs of [-3_600_000, 86_400_000, -20]) {
    device.step(stepMs)
    await pass(10_000)
    t.ok(wrongMs() < 20)
  }
  t.strictSame(events.filter((name) => name !== 'step'), [])
  t.equal(violations(), 0)
})

test('the clock follows another server, three seconds ahead, after a restart', async (t) => {
  const { server, events, recover, pass, violations } = await setUp(t)
  server.drop(1001, 'server shutting down')
  server.id = 'b0a7c1d2'
  server.step(3000)
  server.clockSteps = 0
  const tookMs = await recover(20)
  t.ok(tookMs < 3000, `${tookMs} ms`)
  t.strictSame(events, ['close', 'open', 'step'])
  await pass(60_000)
  t.equal(violations(), 0)
})

test('a lost network is noticed, and the time stays known', async (t) => {
  const { device, clock, events, wrongMs, pass, recover, violations } = await setUp(t)
  device.isOnline = false
  await pass(60_000)
  t.ok(events.includes('close'))
  t.ok(wrongMs() < 20 && clock.error < 100)
  device.isOnline = true
  device.page.dispatchEvent(new Event('online'))
  await recover(20)
  await pass(10_000)
  t.equal(clock.state, 'open')
  t.strictSame([device.sockets.most, violations()], [1, 0])
})

test('the error bound holds if the route to the server changes', async (t) => {
  const { device, server, pass, violations } = await setUp(t)
  for (const name of ['satellite', 'lan', '4g', 'asymmetric', 'wifi'] as const) {
    device.moveTo(PROFILES[name])
    server.drop(1006)
    await pass(90_000)
  }
  t.equal(violations(), 0)
})

test('the error bound holds if the device\'s clock counts sixtieths of a second', async (t) => {
  const { wrongMs, pass, violations } = await setUp(t, { resolutionMs: 16.67 })
  await pass(600_000)
  t.ok(wrongMs() < 34, `${wrongMs()} ms`)
  t.equal(violations(), 0)
})

for (const status of [401, 403]) {
  test(`a refusal with ${status} is final`, async (t) => {
    const { server, device, clock, events, pass } = await setUp(t)
    const { length: before } = device.attemptsMs
    server.refusal = { status }
    server.drop(1012)
    await pass(300_000)
    t.strictSame([clock.state, device.attemptsMs.length - before], ['refused', 1])
    t.strictSame(events, ['close', 'close', 'refused'])
  })
}

test('after 503, the clock does not reconnect before Retry-After has passed', async (t) => {
  const { server, device, timeline, clock, pass } = await setUp(t)
  server.refusal = { status: 503, retryAfter: '20' }
  server.drop(1012)
  await pass(5000)
  const refusedMs = Number(device.attemptsMs.at(-1))
  server.refusal = undefined
  device.page.dispatchEvent(new Event('online'))
  await timeline.run(refusedMs + 60_000)
  t.ok(Number(device.attemptsMs.at(-1)) - refusedMs >= 20_000)
  t.equal(clock.state, 'open')
})
