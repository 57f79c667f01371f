import { test } from 'tap'
import { ServerClock } from '../../../src/browser/index.js'
import { createWorld } from '../../helpers/fakes/client-world.js'
import { setUpClock, setUpSynced } from '../../helpers/fakes/clock-set-up.js'

test('a clock', async (t) => {
  await t.test('tells all it knows of the server’s', async (t) => {
    const { clock, ahead } = await setUpSynced(t, { world: { aheadMs: 2000 } })
    const { state, protocol, synced, rtt = NaN, error, offset, skew } = clock
    t.strictSame({ state, protocol, synced }, { state: 'open', protocol: 'time.v1', synced: true })
    t.ok(rtt >= 40 && rtt < 40.3, `rtt ${rtt}`)
    t.ok(Math.abs(ahead()) <= error && error < 25, `${ahead()} ± ${error}`)
    t.ok(Math.abs(offset + 2000) <= error + 1, `offset ${offset}`)
    t.ok(Math.abs(skew) < 1e-3, `skew ${skew}`)
  })

  await t.test('tells the device’s time, and claims nothing, before the first sync', async (t) => {
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

  await t.test('is put right by a step of more than the threshold, which it tells', async (t) => {
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

  await t.test('is slewed from less than the threshold, and tells how wrong it is', async (t) => {
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

  await t.test('has members that need no this', async (t) => {
    const { clock } = await setUpSynced(t)
    const { now, toMonotonic, every } = clock
    t.equal(now(), clock.now())
    t.type(toMonotonic(now()), 'number')
    every(1000, () => {})()
  })

  await t.test('knows when it will show a time on the monotonic clock', async (t) => {
    const { clock, world } = await setUpSynced(t, { world: { aheadMs: 5000 } })
    const due = new Date(Math.ceil(clock.now() + 1000))
    await world.advance(clock.toMonotonic(due) - world.environment.monotonic())
    t.ok(Math.abs(clock.now() - due.getTime()) < 0.01)
  })

  await t.test('is not made without a WebSocket', async (t) => {
    const environment = { ...createWorld().environment, WebSocket: undefined }
    // @ts-expect-error: as in Node 20
    t.throws(() => new ServerClock('/time', { environment }), { message: 'no WebSocket' })
  })
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
    t.strictSame(order, ['known', '25 at true', 'closed'])
  })

  await t.test('resolves at once where it is', async (t) => {
    const { clock } = await setUpSynced(t)
    await t.resolves(clock.ready({ error: 25 }))
  })

  await t.test('is given up by a signal', async (t) => {
    const { clock } = await setUpClock(t)
    const giveUp = new AbortController()
    const promise = clock.ready({ signal: giveUp.signal })
    const reason = new Error('of the user')
    giveUp.abort(reason)
    await t.rejects(promise, reason)
    await t.rejects(clock.ready({ signal: giveUp.signal }), reason)
  })

  await t.test('rejects once the server has refused', async (t) => {
    const { clock, world } = await setUpClock(t)
    const promise = t.rejects(clock.ready(), { message: 'refused' })
    world.answer = { status: 401 }
    world.peer.end()
    await world.advance(0)
    await promise
    await t.rejects(clock.ready(), { message: 'refused' })
  })

  await t.test('rejects on a closed clock, and not once it is open again', async (t) => {
    const { clock, world, server } = await setUpClock(t)
    clock.close()
    await t.rejects(clock.ready(), { message: 'closed' })
    clock.open()
    const promise = clock.ready()
    await world.advance(0)
    server.serve(world.peer)
    await world.advance(1000)
    await t.resolves(promise)
  })
})
