import { test } from 'tap'
import { createProbeSchedule } from '../../../../src/browser/connection/probe-schedule.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'
import { ServerClock } from '../../../../src/browser/index.js'
import { createTimeServer } from '../../../helpers/fakes/time-server.js'
import { mostPerMinute, setUpClock, setUpSynced } from '../../../helpers/fakes/clock-set-up.js'

test('probes', async (t) => {
  function setUp (random: () => number, options = {}) {
    const world = createWorld({ random })
    const asked: number[] = []
    const sync = { probes: 3, every: 60_000, ...options }
    const probes = createProbeSchedule({
      environment: world.environment, sync, probe: () => { asked.push(Math.round(world.trueMs)) }
    })
    return { world, probes, asked }
  }

  const BURST = [0, 60, 120, 180, 240, 300, 360, 420]

  /** When rounds of three come after a burst that began at 0, if each pause is `factor` as long. */
  function rounds (count: number, factor: number): number[] {
    const asked: number[] = []
    let startMs = 480
    let pauseMs = 2000
    for (let round = 0; round < count; round++) {
      startMs += Math.min(60_000, pauseMs) * factor
      pauseMs *= pauseMs < 10_000 ? 1.5 : 1.2
      asked.push(...[0, 250, 500].map((ms) => Math.round(startMs + ms)))
      startMs += 750
    }
    return asked
  }

  for (const [random, factor] of [[0, 0.9], [0.5, 1], [1, 1.1]] as const) {
    await t.test(`are sent in a burst, then in rounds whose pauses are multiplied by ${factor}`, async (t) => {
      const { world, probes, asked } = setUp(() => random)
      probes.burst()
      await world.advance(600_000)
      const expected = [...BURST, ...rounds(30, factor)].filter((ms) => ms <= 600_000)
      t.strictSame(asked, expected)
      t.strictSame(world.timers, { alive: 1, most: 1 })
    })
  }

  await t.test('are sent as often as the options say', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5, { probes: 1, every: 3000 })
    probes.burst()
    await world.advance(16_000)
    t.strictSame(asked, [...BURST, 2480, 5730, 8980, 12_230, 15_480])
  })

  await t.test('do not start again when burst() is called during a burst', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5)
    for (let ms = 0; ms < 400; ms += 10) {
      probes.burst()
      await world.advance(10)
    }
    await world.advance(1000)
    t.strictSame(asked, BURST)
  })

  await t.test('can start another burst after the first, with the same rounds after it', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5)
    probes.burst()
    await world.advance(100_000)
    asked.length = 0
    probes.burst()
    await world.advance(3500)
    t.strictSame(asked, [...BURST, ...rounds(1, 1)].map((ms) => ms + 100_000))
  })

  await t.test('stop, and start again', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5)
    probes.burst()
    await world.advance(100)
    probes.stop()
    await world.advance(100_000)
    t.strictSame([asked, world.timers.alive], [[0, 60], 0])
    probes.burst()
    await world.advance(1000)
    t.strictSame(asked.slice(2), BURST.map((ms) => ms + 100_100))
  })

  await t.test('are limited to bursts with probes: 0', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5, { probes: 0, every: Infinity })
    probes.burst()
    await world.advance(86_400_000)
    t.strictSame(asked, BURST)
  })
})

test('a clock', async (t) => {
  await t.test('probes eight times after hello, not before', async (t) => {
    const { world, server } = await setUpClock(t)
    world.peer.accept()
    await world.advance(1000)
    t.strictSame(world.peer.received, [])
    server.serve(world.peer)
    await world.advance(1000)
    t.equal(world.peer.received.length, 8)
  })

  await t.test('does not probe while bytes are buffered', async (t) => {
    const { world, clock, server } = await setUpClock(t)
    world.peer.bufferedAmount = 1
    server.serve(world.peer)
    await world.advance(1000)
    t.strictSame([world.peer.received, clock.synced], [[], false])
    world.peer.bufferedAmount = 0
    await world.advance(3000)
    t.strictSame([world.peer.received.length, clock.synced], [3, true])
  })

  await t.test('does not probe once the connection is lost', async (t) => {
    const { world } = await setUpSynced(t)
    const { peer } = world
    peer.end()
    const { length } = peer.received
    await world.advance(60_000)
    t.equal(peer.received.length, length)
  })

  await t.test('does not start a burst when the page becomes hidden', async (t) => {
    const { world } = await setUpSynced(t)
    world.peer.received.length = 0
    world.page.document.hidden = true
    world.page.dispatchEvent(new Event('visibilitychange'))
    await world.advance(500)
    t.equal(world.peer.received.length, 0)
  })

  await t.test('probes after the device has slept while the page is hidden', async (t) => {
    const { world, clock, ahead } = await setUpSynced(t)
    world.page.document.hidden = true
    world.peer.received.length = 0
    world.sleep(20_000)
    await world.advance(1600)
    t.equal(world.peer.received.length, 8)
    t.ok(Math.abs(ahead()) <= clock.error && clock.synced)
  })

  await t.test('probes at most 30 times in any minute, whatever happens', async (t) => {
    const { world, server } = await setUpSynced(t)
    const askedMs: number[] = []
    const { onText } = world.peer
    world.peer.onText = (text) => {
      askedMs.push(world.trueMs)
      onText(text)
    }
    for (let second = 0; second < 300; second++) {
      world.step(second % 2 ? 5000 : -5000)
      world.page.dispatchEvent(new Event('online'))
      server.clockSteps++
      server.send({ type: 'tick', seq: 1, at: 5, sent: server.now(), interval: 1000, clockSteps: second })
      await world.advance(1000)
    }
    const most = Math.max(...askedMs.map((ms) =>
      askedMs.filter((other) => other >= ms && other < ms + 60_000).length))
    t.ok(most <= 30 && most > 20, `${most} a minute`)
  })

  await t.test('probes at most 30 times in any minute over both transports together', async (t) => {
    const clock = { sync: { probes: 10, every: 1000 } }
    const { world, server } = await setUpClock(t, { clock })
    world.answer = { status: 200, body: server.answer }
    const counts: number[] = []
    for (let second = 0; second < 300; second++) {
      const { peer } = world
      if (second % 6 === 0) peer.end()
      if (second % 6 === 3 && peer.closedWith === undefined) server.serve(peer)
      world.page.dispatchEvent(new Event('online'))
      await world.advance(1000)
      const probeCount = world.peers.reduce((sum, { received }) => sum + received.length, 0)
      counts.push(probeCount + world.asked.length)
    }
    const most = mostPerMinute(counts)
    t.ok(world.asked.length > 50 && world.peers.some(({ received }) => received.length > 5))
    t.ok(most <= 30 && most > 20, `${most} a minute`)
  })

  await t.test('probes as usual if the device\'s clock is pinned', async (t) => {
    const { world, clock } = await setUpSynced(t, { clock: { environment: { wall: () => 5 } } })
    world.peer.received.length = 0
    await world.advance(10_000)
    t.ok(world.peer.received.length <= 12, `${world.peer.received.length} probes`)
    t.ok(clock.synced)
  })

  await t.test('probes as usual if both clocks are rounded to 100 ms', async (t) => {
    const world = createWorld()
    const { monotonic, wall } = world.environment
    const round = (ms: number, shiftMs: number) => Math.floor((ms + shiftMs) / 100) * 100
    const environment = {
      ...world.environment,
      monotonic: () => round(monotonic(), 0),
      wall: () => round(wall(), 37)
    }
    const server = createTimeServer(world)
    const clock = new ServerClock('/time', { environment })
    t.teardown(() => clock.close())
    await world.advance(0)
    server.serve(world.peer)
    await world.advance(60_000)
    world.peer.received.length = 0
    let syncedCount = 0
    for (let second = 0; second < 300; second++) {
      await world.advance(1000)
      if (clock.synced) syncedCount++
    }
    t.equal(syncedCount, 300)
    t.ok(world.peer.received.length <= 50, `${world.peer.received.length} probes`)
  })

  await t.test('probes if the runtime does not report buffered bytes', async (t) => {
    const { world, clock, server } = await setUpClock(t)
    world.peer.bufferedAmount = undefined
    server.serve(world.peer)
    await world.advance(1000)
    t.strictSame([world.peer.received.length, clock.synced], [8, true])
  })

  for (const name of ['visibilitychange', 'pageshow', 'online', 'resume']) {
    await t.test(`probes eight times on ${name}`, async (t) => {
      const { world } = await setUpSynced(t)
      world.peer.received.length = 0
      world.page.dispatchEvent(new Event(name))
      await world.advance(500)
      t.equal(world.peer.received.length, 8)
    })

    await t.test(`connects at once on ${name}, instead of waiting`, async (t) => {
      const { world } = await setUpSynced(t)
      world.peer.end()
      world.page.dispatchEvent(new Event(name))
      world.page.dispatchEvent(new Event(name))
      await world.advance(0)
      t.strictSame([world.peers.length, world.sockets.alive], [2, 1])
    })
  }

  for (const ms of [60, -60, 86_400_000, -86_400_000]) {
    await t.test(`probes eight times when the device's clock moves by ${ms} ms`, async (t) => {
      const { world, clock, ahead } = await setUpSynced(t)
      world.peer.received.length = 0
      world.step(ms)
      await world.advance(1600)
      t.equal(world.peer.received.length, 8)
      t.ok(Math.abs(ahead()) <= clock.error && clock.error < 25, `${ahead()} ± ${clock.error}`)
    })
  }

  await t.test('does not change when the device\'s clock is set', async (t) => {
    const { world, ahead, clock } = await setUpSynced(t)
    clock.at(clock.now() + 60_000, () => t.fail('is early'))
    for (const ms of [3_600_000, -7_200_000, 60]) {
      world.step(ms)
      await world.advance(1)
      t.ok(Math.abs(ahead()) < 25)
      await world.advance(2000)
      t.ok(Math.abs(ahead()) < 25)
    }
  })

  await t.test('does not probe when the device\'s clock moves by 40 ms', async (t) => {
    const { world } = await setUpSynced(t)
    world.peer.received.length = 0
    world.step(40)
    await world.advance(500)
    t.equal(world.peer.received.length, 0)
  })

  await t.test('shows the right time a second after a sleep, and claims no error bound before', async (t) => {
    for (const ms of [260, 300_000, 8 * 3_600_000]) {
      const { world, clock, ahead } = await setUpSynced(t)
      world.sleep(ms)
      t.strictSame([clock.error, clock.synced], [Infinity, false])
      await world.advance(1000)
      t.ok(Math.abs(ahead()) <= clock.error && clock.error < 25, `${ahead()} ± ${clock.error}`)
    }
  })
})
