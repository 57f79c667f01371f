import { test } from 'tap'
import { ServerClock } from '../../../src/browser/index.js'
import { createWorld } from '../../helpers/fakes/client-world.js'
import { createTimeServer } from '../../helpers/fakes/time-server.js'
import { setUpClock, setUpSynced } from '../../helpers/fakes/clock-set-up.js'

test('a clock', async (t) => {
  await t.test('shows the time, error, offset, skew and round trip of the server\'s clock', async (t) => {
    const { clock, ahead } = await setUpSynced(t, { world: { aheadMs: 2000 } })
    const { state, protocol, synced, rtt = NaN, error, offset, skew } = clock
    t.strictSame({ state, protocol, synced }, { state: 'open', protocol: 'time.v1', synced: true })
    t.ok(rtt >= 40 && rtt < 40.3, `rtt ${rtt}`)
    t.ok(Math.abs(ahead()) <= error && error < 25, `${ahead()} ± ${error}`)
    t.ok(Math.abs(offset + 2000) <= error + 1, `offset ${offset}`)
    t.ok(Math.abs(skew) < 1e-3, `skew ${skew}`)
  })

  await t.test('shows the device\'s time, without an error bound, before the first sync', async (t) => {
    const { clock, ahead } = await setUpClock(t, { world: { aheadMs: 2000 } })
    const { state, protocol, synced, rtt, error, offset, skew } = clock
    t.strictSame({ state, protocol, synced, rtt, error, offset, skew }, {
      state: 'connecting',
      protocol: '',
      synced: false,
      rtt: undefined,
      error: Infinity,
      offset: 0,
      skew: 0
    })
    t.equal(ahead(), 2000)
  })

  await t.test('is corrected by a step if it is off by more than the threshold, and fires the event step', async (t) => {
    const { clock, world, server, events, ahead } =
      await setUpClock(t, { world: { aheadMs: 2000 } })
    server.serve(world.peer)
    await world.advance(65)
    const [name, detail] = events.at(-1) ?? []
    const { by = NaN } = detail as { by?: number }
    t.equal(name, 'step')
    t.ok(Math.abs(by + 2000) <= clock.error, `by ${by}`)
    t.ok(Math.abs(ahead()) <= clock.error)
  })

  await t.test('is slewed if it is off by less than the threshold, and stays within its error bound', async (t) => {
    const { clock, world, server, events, ahead } = await setUpClock(t, { world: { aheadMs: 200 } })
    server.serve(world.peer)
    let latest = clock.now()
    let most = 0
    for (let i = 0; i < 500; i++) {
      await world.advance(10)
      if (clock.now() < latest || Math.abs(ahead()) > clock.error) break
      most = Math.max(most, Math.abs(clock.now() - latest - 10))
      latest = clock.now()
    }
    t.ok(world.trueMs >= 5000, `was wrong at ${world.trueMs}`)
    t.ok(most <= 0.6, `changed its speed by ${most / 10}`)
    t.ok(Math.abs(ahead()) < 21)
    t.strictSame(events, [['open', null]])
  })

  await t.test('has its members on its prototype, and can be extended', async (t) => {
    class Shifted extends ServerClock {
      override now (): number {
        return super.now() + 1000
      }
    }
    const { environment } = createWorld()
    const clock = new Shifted('/time', { environment, autoOpen: false })
    t.strictSame(Object.keys(clock), [])
    t.equal(Math.round(clock.offset), 1000)
  })

  await t.test('converts a server time to the monotonic clock', async (t) => {
    const { clock, world } = await setUpSynced(t, { world: { aheadMs: 5000 } })
    const due = new Date(Math.ceil(clock.now() + 1000))
    await world.advance(clock.toMonotonic(due) - world.environment.monotonic())
    t.ok(Math.abs(clock.now() - due.getTime()) < 0.01)
  })

  await t.test('types the data of its messages', async (t) => {
    const { environment } = createWorld()
    const clock = new ServerClock<{ bid: number }>('/time', { environment, autoOpen: false })
    clock.addEventListener('message', ({ detail }) => detail.bid.toFixed())
    t.equal(clock.state, 'closed')
  })
})

test('a runtime without a WebSocket', async (t) => {
  await t.test('throws if the transport requires one', async (t) => {
    const environment = { ...createWorld().environment, WebSocket: undefined }
    const make = () => new ServerClock('/time', { environment, transport: 'websocket' })
    t.throws(make, { name: 'ServerClockError', code: 'NO_WEBSOCKET', message: /Use transport "http"/ })
  })

  await t.test('syncs over HTTP', async (t) => {
    for (const transport of ['auto', 'http'] as const) {
      const environment = { WebSocket: undefined }
      const { world, server, clock } = await setUpClock(t, { clock: { environment, transport } })
      world.answer = { status: 200, body: server.answer }
      world.requestMs = 20
      clock.open()
      await world.advance(1000)
      t.match(clock, { state: 'open', transport: 'http', synced: true })
    }
  })
})

test('a runtime without EventTarget gets an error that asks for a polyfill', async (t) => {
  const { CustomEvent } = globalThis
  t.teardown(() => { globalThis.CustomEvent = CustomEvent })
  // @ts-expect-error: as in React Native
  globalThis.CustomEvent = undefined
  t.throws(() => new ServerClock('/time'), { name: 'TypeError', message: /load a polyfill/ })
})

test('autoOpen: false waits for open()', async (t) => {
  const { world, server, clock } = await setUpClock(t, { clock: { autoOpen: false } })
  t.strictSame([clock.state, world.peers.length, world.timers.alive], ['closed', 0, 0])
  clock.at(world.serverNow() + 500, () => { calledMs = world.trueMs })
  let calledMs = NaN
  await world.advance(100)
  clock.open()
  await world.advance(0)
  server.serve(world.peer)
  await world.advance(1000)
  t.strictSame([clock.state, Math.round(calledMs / 10) * 10], ['open', 500])
})

test('a URL that cannot be resolved', async (t) => {
  const blob = { location: { href: 'blob:https://example.org/4711' } }
  const urls: [title: string, url: string, page: object, message: RegExp][] = [
    ['relative, without a page', '/time', {}, /no page to resolve it against: pass an absolute URL/],
    ['relative, in a Blob worker', '/time', blob, /pass an absolute URL/],
    ['malformed', 'http://[', { location: { href: 'https://example.org/' } }, /it is not a valid URL/],
    ['with a fragment', 'https://example.org/time#now', {}, /without a fragment/],
    ['of another scheme', 'ftp://example.org/time', {}, /pass a URL with http, https, ws or wss/]
  ]
  for (const [title, url, page, message] of urls) {
    await t.test(`throws at once: ${title}`, async (t) => {
      const world = createWorld()
      const environment = { ...world.environment, page }
      const error = { name: 'ServerClockError', code: 'INVALID_URL', message }
      t.throws(() => new ServerClock(url, { environment }), error)
      t.equal(world.timers.most, 0)
      const clock = new ServerClock(url, { environment, autoOpen: false })
      t.throws(() => clock.open(), error)
      t.strictSame([world.timers.most, clock.state], [0, 'closed'])
    })
  }
})

test('a clock that is ahead by an hour calls nothing back early', async (t) => {
  const { world, server, clock } = await setUpClock(t, { world: { aheadMs: 3_600_000 } })
  const called: number[] = []
  const startMs = world.serverNow()
  clock.at(startMs + 5000, () => called.push(world.trueMs))
  await world.advance(1000)
  server.serve(world.peer)
  await world.advance(3900)
  t.strictSame(called, [])
  await world.advance(200)
  t.equal(called.length, 1)
})

test('after an hour of sleep without a network', async (t) => {
  await t.test('now() continues with the device\'s clock, without an error bound, and at() waits', async (t) => {
    const { world, clock, ahead } = await setUpSynced(t, { world: { aheadMs: 700 } })
    clock.at(world.serverNow() + 1_800_000, () => { isCalled = true })
    let isCalled = false
    world.peer.end()
    await world.advance(100)
    world.sleep(3_600_000)
    t.ok(Math.abs(ahead()) < 50, `${ahead()} ms`)
    t.strictSame([clock.error, clock.synced], [Infinity, false])
    await world.advance(60_000)
    t.ok(Math.abs(ahead()) < 50, `${ahead()} ms`)
    t.equal(isCalled, false)
  })

  await t.test('the same holds with a dead connection, after a second', async (t) => {
    const { world, clock, ahead } = await setUpSynced(t)
    world.peer.onText = () => {}
    world.sleep(3_600_000)
    clock.now()
    await world.advance(2100)
    t.ok(Math.abs(ahead()) < 50, `${ahead()} ms`)
    t.equal(clock.error, Infinity)
  })
})

test('ready() called on wake waits for a new sync', async (t) => {
  const { world, clock } = await setUpSynced(t)
  world.sleep(60_000)
  let isReady = false
  clock.ready().then(() => { isReady = true })
  await world.advance(1)
  t.strictSame([isReady, clock.synced], [false, false])
  await world.advance(1000)
  t.strictSame([isReady, clock.synced], [true, true])
})

test('rtt is never negative, however coarse the clock', async (t) => {
  const world = createWorld()
  const monotonic = () => Math.floor(world.environment.monotonic() / 100) * 100
  const server = createTimeServer(world, { delayMs: 1 })
  const clock = new ServerClock('/time', { environment: { ...world.environment, monotonic } })
  t.teardown(() => clock.close())
  const rtts: number[] = []
  clock.addEventListener('sync', () => rtts.push(Number(clock.rtt)))
  await world.advance(0)
  server.serve(world.peer)
  await world.advance(60_000)
  t.ok(rtts.length > 20 && rtts.every((ms) => ms >= 0), String(rtts))
})

test('ready()', async (t) => {
  await t.test('waits until the error is known, or small enough', async (t) => {
    const { clock, world, server } = await setUpClock(t)
    const order: string[] = []
    clock.ready({ error: 25 }).then(() => order.push(`25 at ${clock.error < 25}`))
    clock.ready().then(() => order.push('known'))
    const never = clock.ready({ error: 0.001 })
    never.then(() => order.push('never'), ({ message }) => order.push(message))
    await world.advance(1000)
    t.strictSame(order, [])
    server.delayMs = 100
    server.serve(world.peer)
    await world.advance(1500)
    t.strictSame(order, ['known'])
    server.delayMs = 20
    await world.advance(60_000)
    t.strictSame(order, ['known', '25 at true'])
    clock.close()
    await world.advance(0)
    t.strictSame(order, ['known', '25 at true', 'The clock is closed: call open() first'])
  })

  await t.test('resolves at once if the error is small enough', async (t) => {
    const { clock } = await setUpSynced(t)
    await t.resolves(clock.ready({ error: 25 }))
  })

  await t.test('rejects for a bound that no clock can reach', async (t) => {
    const { clock } = await setUpSynced(t)
    for (const error of [NaN, 0, -1]) {
      await t.rejects(clock.ready({ error }), { name: 'RangeError', message: /"?error"?.*more than 0/ })
    }
    await t.rejects(clock.ready({ error: '5' as unknown as number }), { name: 'TypeError' })
  })

  await t.test('rejects when its signal aborts', async (t) => {
    const { clock } = await setUpClock(t)
    const giveUp = new AbortController()
    const promise = clock.ready({ signal: giveUp.signal })
    const reason = new Error('of the user')
    giveUp.abort(reason)
    await t.rejects(promise, reason)
    await t.rejects(clock.ready({ signal: giveUp.signal }), reason)
  })

  await t.test('rejects once the server has refused the clock', async (t) => {
    const { clock, world } = await setUpClock(t)
    const promise = t.rejects(clock.ready(), { name: 'ServerClockError', code: 'REFUSED' })
    world.answer = { status: 401 }
    world.peer.end()
    await world.advance(0)
    await promise
    await t.rejects(clock.ready(), { name: 'ServerClockError', code: 'REFUSED' })
  })

  await t.test('rejects on a closed clock, but not once the clock is open again', async (t) => {
    const { clock, world, server } = await setUpClock(t)
    clock.close()
    await t.rejects(clock.ready(), { name: 'ServerClockError', code: 'CLOSED' })
    clock.open()
    const promise = clock.ready()
    await world.advance(0)
    server.serve(world.peer)
    await world.advance(1000)
    await t.resolves(promise)
  })
})
