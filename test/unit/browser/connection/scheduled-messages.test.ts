import { test } from 'tap'
import { setUpClock, setUpSynced } from '../../../helpers/fakes/clock-set-up.js'

/** A synchronised clock, and what its messages were, and when. */
async function setUp (t: Parameters<typeof setUpSynced>[0]) {
  const synced = await setUpSynced(t)
  const { world, clock, server } = synced
  const fired: [data: unknown, ms: number][] = []
  const startMs = Math.ceil(server.now())
  clock.addEventListener('message', ({ detail }) => {
    fired.push([detail, Math.round((clock.now() - startMs) / 5) * 5])
  })
  const message = (data: unknown, inMs: number, key?: string) =>
    ({ type: 'message', data, at: startMs + inMs, ...(key !== undefined && { key }) })

  /** Loses the connection, and greets the client again so much later. */
  async function reconnect (ms: number): Promise<void> {
    world.peer.end()
    await world.advance(250)
    await world.advance(ms - 250)
    server.serve(world.peer)
    await world.advance(21)
  }

  return { ...synced, fired, message, reconnect }
}

test('a message', async (t) => {
  await t.test('is fired on arrival, or when it takes effect', async (t) => {
    const { world, fired, message } = await setUp(t)
    world.peer.send(message('c', 2000))
    world.peer.send(message('b', 1000))
    world.peer.send({ type: 'message', data: { a: [1] } })
    await world.advance(5000)
    t.strictSame(fired, [[{ a: [1] }, 0], ['b', 1000], ['c', 2000]])
  })

  await t.test('waits for the first sync, even if the device is minutes ahead', async (t) => {
    const { world, server, clock } = await setUpClock(t, { world: { aheadMs: 300_000 } })
    const fired: [data: unknown, ms: number][] = []
    const startMs = world.serverNow()
    clock.addEventListener('message', ({ detail }) => {
      fired.push([detail, Math.round((world.serverNow() - startMs) / 10) * 10])
    })
    server.serve(world.peer)
    await world.advance(5)
    server.send({ type: 'message', data: 'over', at: startMs - 1000 })
    server.send({ type: 'message', data: 'a', at: startMs + 2000 })
    await world.advance(30)
    t.strictSame(fired, [], 'nothing is known of the server yet')
    await world.advance(5000)
    t.strictSame(fired, [['over', 60], ['a', 2000]])
  })

  await t.test('is ignored beyond 10,000, which no server has pending', async (t) => {
    const { world, fired, message } = await setUp(t)
    for (let count = 0; count <= 10_000; count++) world.peer.send(message(count, 3000))
    await world.advance(6000)
    t.equal(fired.length, 10_000)
    world.peer.send(message('later', 3000))
    await world.advance(4000)
    t.equal(fired.length, 10_001, 'the others are forgotten')
  })

  await t.test('is fired at once if its time has passed', async (t) => {
    const { world, fired, message } = await setUp(t)
    world.peer.send(message('a', -5000))
    await world.advance(1)
    t.strictSame(fired, [['a', 0]])
  })

  await t.test('replaces the pending message with the same key, and no other', async (t) => {
    const { world, fired, message } = await setUp(t)
    world.peer.send(message('a', 1000, 'x'))
    world.peer.send(message('b', 1000, 'y'))
    world.peer.send(message('c', 1000))
    world.peer.send(message('d', 2000, 'x'))
    await world.advance(1500)
    world.peer.send({ type: 'message', data: 'e', key: 'x' })
    await world.advance(5000)
    t.strictSame(fired, [['b', 1000], ['c', 1000], ['e', 1500]])
  })

  await t.test('is withdrawn by its key, and never fired', async (t) => {
    const { world, fired, message } = await setUp(t)
    world.peer.send(message('a', 1000, 'x'))
    world.peer.send({ type: 'cancel', key: 'y' })
    world.peer.send({ type: 'cancel', key: 'x' })
    world.peer.send({ type: 'cancel', key: 'x' })
    world.peer.send(message('b', 1000, '__proto__'))
    await world.advance(5000)
    t.strictSame(fired, [['b', 1000]])
  })

  await t.test('may use the key of an earlier message again', async (t) => {
    const { world, fired, message } = await setUp(t)
    world.peer.send(message('a', 1000, 'x'))
    await world.advance(1500)
    world.peer.send(message('b', 2000, 'x'))
    await world.advance(5000)
    t.strictSame(fired, [['a', 1000], ['b', 2000]])
  })

  await t.test('is not fired once the clock is closed', async (t) => {
    const { world, clock, fired, message } = await setUp(t)
    world.peer.send(message('a', 1000))
    clock.close()
    await world.advance(5000)
    t.strictSame(fired, [])
  })
})

test('a reconnect', async (t) => {
  for (const key of [undefined, 'x']) {
    const kind = key === undefined ? 'without a key' : 'with a key'

    await t.test(`fires once a message ${kind} that is sent again`, async (t) => {
      const { world, fired, message, reconnect } = await setUp(t)
      world.peer.send(message('a', 5000, key))
      await reconnect(1000)
      world.peer.send(message('a', 5000, key))
      await world.advance(10_000)
      t.strictSame(fired, [['a', 5000]])
    })

    await t.test(`does not fire a message ${kind} that is not sent again`, async (t) => {
      const { world, fired, message, reconnect } = await setUp(t)
      world.peer.send(message('a', 5000, key))
      await reconnect(1000)
      await world.advance(10_000)
      t.strictSame(fired, [])
    })

    await t.test(`does not prevent a message ${kind} from firing meanwhile`, async (t) => {
      const { world, fired, message, reconnect } = await setUp(t)
      world.peer.send(message('a', 500, key))
      await reconnect(1000)
      await world.advance(10_000)
      t.strictSame(fired, [['a', 500]])
    })

    await t.test(`does not repeat a message ${kind} that is due about now`, async (t) => {
      const { world, fired, message, reconnect } = await setUp(t)
      world.peer.send(message('a', 995, key))
      await reconnect(1000)
      world.peer.send(message('a', 995, key))
      await world.advance(10_000)
      t.strictSame(fired, [['a', 995]])
    })

    await t.test(`fires a message ${kind} that has just become due on the server`, async (t) => {
      const { world, fired, message, reconnect } = await setUp(t)
      world.peer.send(message('a', 1025, key))
      await reconnect(1000)
      await world.advance(10_000)
      t.strictSame(fired, [['a', 1025]])
    })
  }

  await t.test('is not affected by keys that were used long ago', async (t) => {
    const { world, fired, message, reconnect } = await setUp(t)
    for (let i = 1; i <= 5; i++) world.peer.send(message(i, i * 1000))
    await world.advance(10_000)
    world.peer.send(message(1, 1000))
    await reconnect(1000)
    await world.advance(10_000)
    t.strictSame(fired.map(([data]) => data), [1, 2, 3, 4, 5])
  })
})
