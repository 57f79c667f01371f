import { test } from 'tap'
import { createWatchdog } from '../../../../src/browser/connection/watchdog.js'
import { setUpSynced } from '../../../helpers/fakes/clock-set-up.js'

test('a watchdog', async (t) => {
  function setUp () {
    const done: string[] = []
    const watchdog = createWatchdog(() => { done.push('ask') }, () => { done.push('drop') })
    const look = (count: number, intervalMs: number) => {
      for (let i = 0; i < count; i++) watchdog.look(intervalMs)
      return done.splice(0)
    }
    return { watchdog, look }
  }

  await t.test('asks when a tick is missing, and drops the connection if none comes', async (t) => {
    const { look } = setUp()
    t.strictSame([look(10, 5000), look(1, 5000), look(10, 5000)], [[], ['ask'], []])
    t.strictSame(look(1, 5000), ['drop'])
  })

  await t.test('is content with anything that comes', async (t) => {
    const { watchdog, look } = setUp()
    for (let i = 0; i < 10; i++) {
      t.strictSame(look(11, 5000), ['ask'])
      t.strictSame(look(9, 5000), [])
      watchdog.heard()
    }
  })

  await t.test('drops a connection where an answer is due', async (t) => {
    const { watchdog, look } = setUp()
    look(3, 86_400_000)
    watchdog.asked()
    t.strictSame(look(6, 86_400_000), [])
    watchdog.asked()
    t.strictSame([look(4, 86_400_000), look(1, 86_400_000)], [[], ['drop']])
  })

  await t.test('begins anew with each connection', async (t) => {
    const { watchdog, look } = setUp()
    look(18, 5000)
    watchdog.begin()
    t.strictSame([look(10, 5000), look(1, 5000)], [[], ['drop']])
  })

  await t.test('expects nothing of a server that has told no interval', async (t) => {
    const { watchdog, look } = setUp()
    watchdog.begin()
    watchdog.heard()
    t.strictSame(look(1000, NaN), [])
  })
})

test('a clock', async (t) => {
  const options = { server: { interval: 1000 } }

  await t.test('drops a connection that is dead, and connects again', async (t) => {
    const { world, server, clock, events } = await setUpSynced(t, options)
    world.peer.onText = () => {}
    await world.advance(18_000)
    t.match(events, [['close', { code: 1006, reason: 'silent', retryIn: 250 }]])
    t.strictSame([world.sockets, world.peers.length], [{ alive: 1, most: 1 }, 2])
    server.serve(world.peer)
    t.equal(clock.state, 'open')
  })

  await t.test('keeps a connection whose server stalls for nine seconds', async (t) => {
    const { world, events } = await setUpSynced(t, options)
    const { onText } = world.peer
    for (let i = 0; i < 5; i++) {
      const held: string[] = []
      world.peer.onText = (text) => { held.push(text) }
      await world.advance(9000)
      world.peer.onText = onText
      for (const text of held) onText(text)
      await world.advance(1000)
    }
    t.strictSame(events, [])
  })

  await t.test('keeps a connection while its timers come once a minute', async (t) => {
    const { world, server, events } = await setUpSynced(t, options)
    for (let i = 0; i < 30; i++) {
      // What has come meanwhile is read after the timers that are due.
      world.sleep(60_000)
      world.step(-60_000)
      await world.advance(1000)
      server.send({ type: 'tick', seq: i, at: 5, sent: server.now(), interval: 1000, clockSteps: 0 })
      await world.advance(25)
    }
    t.strictSame(events.filter(([name]) => name === 'close'), [])
  })

  await t.test('gives up a handshake that nobody answers, and asks why', async (t) => {
    const { world, events } = await setUpSynced(t, options)
    world.peer.end()
    await world.advance(250)
    world.answer = { status: 503, retryAfter: '60' }
    await world.advance(12_000)
    t.match(events.slice(1), [
      ['close', { code: 1006, reason: 'silent', retryIn: 60_000 }],
      ['refused', { status: 503 }]
    ])
    t.equal(world.sockets.alive, 0)
    await world.advance(59_000)
    t.equal(world.peers.length, 3)
  })

  await t.test('does not look at a connection that is to be made again', async (t) => {
    const { world, events } = await setUpSynced(t, options)
    world.answer = { status: 503, retryAfter: '600' }
    world.peer.end()
    await world.advance(250)
    world.peer.end()
    await world.advance(590_000)
    t.equal(events.filter(([name]) => name === 'close').length, 2)
    t.equal(world.peers.length, 2)
  })
})
