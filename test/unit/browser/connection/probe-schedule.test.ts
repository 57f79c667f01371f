import { test } from 'tap'
import { createProbes } from '../../../../src/browser/connection/probe-schedule.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'
import { setUpClock, setUpSynced } from '../../../helpers/fakes/clock-set-up.js'

test('probes', async (t) => {
  function setUp (random: () => number, options = {}) {
    const world = createWorld({ random })
    const asked: number[] = []
    const probes = createProbes(world.environment, options, () => {
      asked.push(Math.round(world.trueMs))
    })
    return { world, probes, asked }
  }

  const BURST = [0, 60, 120, 180, 240, 300, 360, 420]

  /** When rounds of three come after a burst that began at 0, if each pause is `factor` as long. */
  function rounds (count: number, factor: number): number[] {
    const asked: number[] = []
    let startMs = 480
    for (let round = 0; round < count; round++) {
      startMs += Math.min(60_000, 2000 * 1.25 ** round) * factor
      asked.push(...[0, 250, 500].map((ms) => Math.round(startMs + ms)))
      startMs += 750
    }
    return asked
  }

  for (const [random, factor] of [[0, 0.9], [0.5, 1], [1, 1.1]] as const) {
    await t.test(`come in a burst, then in rarer rounds, ${factor} as long`, async (t) => {
      const { world, probes, asked } = setUp(() => random)
      probes.burst()
      await world.advance(600_000)
      const expected = [...BURST, ...rounds(30, factor)].filter((ms) => ms <= 600_000)
      t.strictSame(asked, expected)
      t.strictSame(world.timers, { alive: 1, most: 1 })
    })
  }

  await t.test('come as often as the options say', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5, { probes: 1, every: 3000 })
    probes.burst()
    await world.advance(16_000)
    t.strictSame(asked, [...BURST, 2480, 5230, 8480, 11_730, 14_980])
  })

  await t.test('do not come again for a burst while one lasts', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5)
    for (let ms = 0; ms < 400; ms += 10) {
      probes.burst()
      await world.advance(10)
    }
    await world.advance(1000)
    t.strictSame(asked, BURST)
  })

  await t.test('come in a burst again after it, and then in rounds as at first', async (t) => {
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

  await t.test('are none where none are wanted', async (t) => {
    const { world, probes, asked } = setUp(() => 0.5, { probes: 0, every: Infinity })
    probes.burst()
    await world.advance(86_400_000)
    t.strictSame(asked, BURST)
  })
})

test('a clock', async (t) => {
  await t.test('asks eight times once it is greeted, not before', async (t) => {
    const { world, server } = await setUpClock(t)
    world.peer.accept()
    await world.advance(1000)
    t.strictSame(world.peer.received, [])
    server.serve(world.peer)
    await world.advance(1000)
    t.equal(world.peer.received.length, 8)
  })

  await t.test('does not ask while anything waits to be sent', async (t) => {
    const { world, clock, server } = await setUpClock(t)
    world.peer.bufferedAmount = 1
    server.serve(world.peer)
    await world.advance(1000)
    t.strictSame([world.peer.received, clock.synced], [[], false])
    world.peer.bufferedAmount = 0
    await world.advance(3000)
    t.strictSame([world.peer.received.length, clock.synced], [3, true])
  })

  await t.test('asks no more once the connection is lost', async (t) => {
    const { world } = await setUpSynced(t)
    const { peer } = world
    peer.end()
    const { length } = peer.received
    await world.advance(60_000)
    t.equal(peer.received.length, length)
  })

  for (const name of ['visibilitychange', 'pageshow', 'online']) {
    await t.test(`asks eight times on ${name}, unless the page is hidden`, async (t) => {
      const { world } = await setUpSynced(t)
      world.peer.received.length = 0
      world.page.document.hidden = true
      world.page.dispatchEvent(new Event(name))
      await world.advance(500)
      t.equal(world.peer.received.length, 0)
      world.page.document.hidden = false
      world.page.dispatchEvent(new Event(name))
      await world.advance(500)
      t.equal(world.peer.received.length, 8)
    })

    await t.test(`connects at once on ${name}, rather than wait`, async (t) => {
      const { world } = await setUpSynced(t)
      world.peer.end()
      world.page.dispatchEvent(new Event(name))
      world.page.dispatchEvent(new Event(name))
      await world.advance(0)
      t.strictSame([world.peers.length, world.sockets.alive], [2, 1])
    })
  }

  for (const ms of [60, -60, 86_400_000, -86_400_000]) {
    await t.test(`asks eight times when the device’s clock moves by ${ms} ms`, async (t) => {
      const { world, clock, ahead } = await setUpSynced(t)
      world.peer.received.length = 0
      world.step(ms)
      await world.advance(1600)
      t.equal(world.peer.received.length, 8)
      t.ok(Math.abs(ahead()) <= clock.error && clock.error < 25, `${ahead()} ± ${clock.error}`)
    })
  }

  await t.test('does not follow the device’s clock when that is set', async (t) => {
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

  await t.test('does not ask when the device’s clock moves by 40 ms', async (t) => {
    const { world } = await setUpSynced(t)
    world.peer.received.length = 0
    world.step(40)
    await world.advance(500)
    t.equal(world.peer.received.length, 0)
  })

  await t.test('is right a second after a sleep, and claims it no sooner', async (t) => {
    for (const ms of [260, 300_000, 8 * 3_600_000]) {
      const { world, clock, ahead } = await setUpSynced(t)
      world.sleep(ms)
      t.strictSame([clock.error, clock.synced], [Infinity, false])
      await world.advance(1000)
      t.ok(Math.abs(ahead()) <= clock.error && clock.error < 25, `${ahead()} ± ${clock.error}`)
    }
  })
})
