import { test } from 'tap'
import { createWatchdog } from '../../../../src/browser/connection/watchdog.js'
import { setUpSynced } from '../../../helpers/fakes/clock-set-up.js'

test('a watchdog', async (t) => {
  function setUp (patience = 10) {
    const done: string[] = []
    let canProbe = true
    const probe = () => {
      if (canProbe) done.push('probe')
      return canProbe
    }
    const watchdog = createWatchdog({ probe, drop: () => { done.push('drop') }, patience })
    const check = (count: number, { intervalMs = 5000, bufferedBytes = 0 } = {}) => {
      for (let i = 0; i < count; i++) watchdog.check({ intervalMs, bufferedBytes })
      return done.splice(0)
    }
    return { watchdog, check, setCanProbe: (can: boolean) => { canProbe = can } }
  }

  /** The same, once something has come. */
  function setUpOpen (patience?: number) {
    const setUp_ = setUp(patience)
    setUp_.watchdog.onReceived()
    return setUp_
  }

  await t.test('drops a handshake that is not answered', async (t) => {
    const { check } = setUp()
    t.strictSame([check(10), check(1)], [[], ['drop']])
  })

  await t.test('probes when a tick is missing, and drops the connection if nothing arrives', async (t) => {
    const { check } = setUpOpen()
    t.strictSame([check(10), check(1), check(10)], [[], ['probe'], []])
    t.strictSame(check(1), ['drop'])
  })

  await t.test('accepts any message as an answer', async (t) => {
    const { watchdog, check } = setUpOpen()
    for (let i = 0; i < 10; i++) {
      t.strictSame(check(11), ['probe'])
      t.strictSame(check(9), [])
      watchdog.onReceived()
    }
  })

  await t.test('drops a connection whose probe is not answered', async (t) => {
    const { watchdog, check } = setUpOpen()
    const day = { intervalMs: 86_400_000 }
    check(3, day)
    watchdog.onProbed()
    t.strictSame(check(6, day), [])
    watchdog.onProbed()
    t.strictSame([check(4, day), check(1, day)], [[], ['drop']])
  })

  await t.test('drops nothing while it cannot send a probe', async (t) => {
    const { check, setCanProbe } = setUpOpen()
    setCanProbe(false)
    t.strictSame(check(100), [])
    setCanProbe(true)
    t.strictSame([check(1), check(10), check(1)], [['probe'], [], ['drop']])
  })

  await t.test('counts outgoing bytes as activity, and waits longer while bytes are buffered', async (t) => {
    const { check, setCanProbe } = setUpOpen()
    setCanProbe(false)
    for (let bytes = 100_000; bytes > 0; bytes -= 1000) {
      t.strictSame(check(1, { bufferedBytes: bytes }), [])
    }
    const stuck = { bufferedBytes: 500 }
    t.strictSame([check(41, stuck), check(1, stuck)], [[], ['drop']])
  })

  await t.test('drops a connection whose buffered bytes do not decrease', async (t) => {
    const { check, setCanProbe } = setUpOpen()
    setCanProbe(false)
    t.strictSame([check(41, { bufferedBytes: 9 }), check(1, { bufferedBytes: 9 })], [[], ['drop']])
  })

  await t.test('uses the given patience while the connection is young', async (t) => {
    const { check, watchdog } = setUpOpen(20)
    t.strictSame([check(11), check(20), check(1)], [['probe'], [], ['drop']])
    watchdog.onReceived()
    const old = setUpOpen(20)
    for (let i = 0; i < 70; i++) {
      old.check(1)
      old.watchdog.onReceived()
    }
    t.strictSame([old.check(11), old.check(10), old.check(1)], [['probe'], [], ['drop']])
  })

  await t.test('does not probe for a missing tick if none is announced', async (t) => {
    const { check } = setUpOpen()
    t.strictSame(check(1000, { intervalMs: NaN }), [])
  })
})

test('a clock', async (t) => {
  const options = { server: { interval: 1000 } }

  await t.test('drops a dead connection, and reconnects', async (t) => {
    const { world, server, clock, events } = await setUpSynced(t, options)
    world.peer.onText = () => {}
    await world.advance(18_000)
    t.match(events, [['close', { code: 1006, reason: 'the server has been silent for too long', retryIn: 250 }]])
    t.strictSame([world.sockets, world.peers.length], [{ alive: 1, most: 1 }, 2])
    server.serve(world.peer)
    await world.advance(100)
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

  await t.test('keeps a connection while timers fire only once a minute', async (t) => {
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

  await t.test('gives up a handshake that is not answered, and sends a plain GET', async (t) => {
    const { world, events } = await setUpSynced(t, options)
    world.peer.end()
    await world.advance(250)
    world.answer = { status: 503, retryAfter: '60' }
    await world.advance(12_000)
    t.match(events.slice(1), [
      ['close', { code: 1006, reason: 'the server has been silent for too long', retryIn: 60_000 }],
      ['refused', { status: 503, code: undefined }]
    ])
    t.equal(world.sockets.alive, 0)
    await world.advance(59_000)
    t.equal(world.peers.length, 3)
  })

  await t.test('does not check while it waits to reconnect', async (t) => {
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
