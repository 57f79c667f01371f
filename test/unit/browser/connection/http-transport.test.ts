import { test } from 'tap'
import type { PlainAnswer } from '../../../../src/browser/index.js'
import type { World, WorldAnswer } from '../../../helpers/fakes/client-world.js'
import { mostPerMinute, setUpClock } from '../../../helpers/fakes/clock-set-up.js'
import type { ClockSetUpOptions } from '../../../helpers/fakes/clock-set-up.js'

/** A clock that syncs by HTTP, and a server that answers within 40 ms. */
async function setUpHttp (
  t: Parameters<typeof setUpClock>[0], { clock, ...options }: ClockSetUpOptions = {}
) {
  const setUp = await setUpClock(t, {
    ...options, clock: { transport: 'http', autoOpen: false, ...clock }
  })
  const { world, server } = setUp
  world.requestMs = 20.1
  world.answer = { status: 200, body: server.answer }
  setUp.clock.open()
  return setUp
}

/** The most requests in any minute, if the page comes online every second. */
async function countRequests (world: World): Promise<number> {
  const totals: number[] = []
  for (let second = 0; second < 180; second++) {
    world.page.dispatchEvent(new Event('online'))
    await world.advance(1000)
    totals.push(world.asked.length)
  }
  return mostPerMinute(totals)
}

test('over HTTP a clock', async (t) => {
  await t.test('is open from the first answer on, with an error of half a round trip', async (t) => {
    const { world, clock, events, ahead } = await setUpHttp(t, { world: { aheadMs: 5000 } })
    t.equal(clock.state, 'connecting')
    await world.advance(41)
    t.match(clock, { state: 'open', transport: 'http', protocol: '', synced: true })
    await world.advance(1000)
    t.ok(Math.abs(ahead()) <= clock.error && clock.error < 22, `${ahead()} ± ${clock.error}`)
    t.ok(Math.abs(Number(clock.rtt) - 40.2) < 0.1, `rtt ${clock.rtt}`)
    t.strictSame(events.map(([name]) => name), ['open', 'step'])
    t.strictSame([clock.send('hi'), world.peers.length], [false, 0])
  })

  await t.test('sends three requests, then three a minute, one at a time', async (t) => {
    const { world } = await setUpHttp(t)
    await world.advance(10_000)
    t.equal(world.asked.length, 3)
    await world.advance(600_000)
    t.equal(world.asked.length, 33)
  })

  await t.test('does not begin a round during another one', async (t) => {
    const { world } = await setUpHttp(t)
    // The next round is due while the first request of this one is on its way.
    await world.advance(60_295)
    world.page.dispatchEvent(new Event('online'))
    await world.advance(10_000)
    t.equal(world.asked.length, 3 + 3)
  })

  await t.test('sends one request a round if probes is 0', async (t) => {
    const { world } = await setUpHttp(t, { clock: { sync: { probes: 0 } } })
    await world.advance(310_000)
    t.equal(world.asked.length, 3 + 5)
  })

  await t.test('sends at most twelve requests in any minute, whatever happens', async (t) => {
    const { world } = await setUpHttp(t, { clock: { sync: { probes: 10, every: 1000 } } })
    const most = await countRequests(world)
    t.ok(most <= 12 && most > 9, `${most} a minute`)
  })

  await t.test('counts each request, also if its answer is discarded or cannot be read', async (t) => {
    const answers: [title: string, answer: WorldAnswer, isReadable: boolean][] = [
      ['another id', { status: 200, body: (id: number) => ({ id: id + 1 }) }, true],
      ['404', { status: 404 }, true],
      ['unreadable', { status: 200 }, false]
    ]
    for (const [title, answer, isReadable] of answers) {
      const clock = { sync: { probes: 10, every: 1000 } }
      const { world } = await setUpHttp(t, { url: 'https://time.example/', clock })
      world.isReadable = isReadable
      world.answer = answer
      const most = await countRequests(world)
      t.ok(most <= 12 && most > 9, `${title}: ${most} a minute`)
    }
  })

  await t.test('asks no more in a round once the server has said when to retry', async (t) => {
    const { world, clock, events } = await setUpHttp(t)
    world.answer = { status: 503, retryAfter: '7', body: { code: 'FULL' } }
    await world.advance(7000)
    t.match(events, [['close', { retryIn: 7000 }], ['refused', { status: 503, code: 'FULL' }]])
    t.strictSame([clock.state, world.asked.length], ['waiting', 1])
    await world.advance(100)
    t.equal(world.asked.length, 2)
  })

  await t.test('sends requests when the page becomes visible, unless a round is in progress', async (t) => {
    const { world } = await setUpHttp(t)
    await world.advance(50)
    world.page.dispatchEvent(new Event('visibilitychange'))
    await world.advance(10_000)
    t.equal(world.asked.length, 3)
    world.page.dispatchEvent(new Event('visibilitychange'))
    await world.advance(10_000)
    t.equal(world.asked.length, 6)
  })

  await t.test('resolves the URL once per round', async (t) => {
    let count = 0
    const { world } = await setUpHttp(t, { url: () => `/time?round=${++count}` })
    await world.advance(100_000)
    const rounds = world.asked.map((url) => new URL(url).search)
    t.strictSame(rounds, ['?round=1', '?round=1', '?round=1', '?round=2', '?round=2', '?round=2'])
  })

  await t.test('keeps its estimate when a round fails, and reports the failure', async (t) => {
    const { world, server, clock, events } = await setUpHttp(t)
    await world.advance(10_000)
    world.answer = undefined
    events.length = 0
    await world.advance(60_000)
    t.match(events[0], ['close', { code: 1006, reason: 'the server does not answer' }])
    t.match(clock, { state: 'waiting', transport: undefined, synced: true })
    world.answer = { status: 200, body: server.answer }
    await world.advance(60_000)
    t.equal(clock.state, 'open')
  })

  await t.test('is permanently refused by 401', async (t) => {
    const { world, clock, events } = await setUpHttp(t)
    world.answer = { status: 401, body: { code: 'EXPIRED' } }
    await world.advance(60_000)
    t.match(events, [['close', { retryIn: undefined }], ['refused', { status: 401, code: 'EXPIRED' }]])
    t.strictSame([clock.state, world.asked.length], ['refused', 1])
  })

  await t.test('ends when a listener closes it', async (t) => {
    for (const name of ['open', 'sync', 'step'] as const) {
      const { world, clock } = await setUpHttp(t, { world: { aheadMs: 5000 } })
      clock.addEventListener(name, () => clock.close())
      await world.advance(100_000)
      t.strictSame([clock.state, world.timers.alive], ['closed', 0], name)
      t.ok(world.asked.length <= 2)
    }
  })

  await t.test('can be closed during a round, without any later event', async (t) => {
    for (const ms of [10, 90]) {
      const { world, clock, events } = await setUpHttp(t)
      await world.advance(ms)
      clock.close()
      events.length = 0
      await world.advance(100_000)
      t.strictSame([events, world.timers.alive], [[], 0])
    }
  })
})

test('of several servers behind one URL', async (t) => {
  await t.test('follows the server with the smallest error, without a step', async (t) => {
    const { world, server, clock, events } = await setUpHttp(t)
    let count = 0
    world.answer = {
      status: 200,
      body: (id: number) => {
        const isOther = ++count % 2 === 0
        const [name, aheadMs] = isOther ? ['b', 8] : ['a', 0]
        return { ...server.answer(id), server: name, now: server.now() + Number(aheadMs) }
      }
    }
    let latest = clock.now()
    for (let second = 0; second < 600; second++) {
      await world.advance(1000)
      t.ok(clock.now() >= latest && clock.synced)
      latest = clock.now()
    }
    t.strictSame(events.map(([name]) => name), ['open'])
  })

  await t.test('a new server for each answer never breaks the error bound', async (t) => {
    const { world, server, clock, ahead } = await setUpHttp(t)
    let count = 0
    const body = (id: number) => ({ ...server.answer(id), server: count++ })
    world.answer = { status: 200, body }
    for (let second = 0; second < 600; second++) {
      await world.advance(1000)
      if (Math.abs(ahead()) > clock.error + 0.01) t.fail(`${ahead()} ± ${clock.error}`)
    }
    t.ok(clock.error < 50)
  })
})

test('an invalid answer', async (t) => {
  type Body = (id: number, right: object) => unknown
  const bodies: [title: string, body: Body, reason: RegExp][] = [
    ['HTML', () => '<html></html>', /not that of a time socket/],
    ['1 MB', () => 'x'.repeat(1_000_000), /not that of a time socket/],
    ['null', () => 'null', /not that of a time socket/],
    ['now as text', (_id, right) => ({ ...right, now: '5' }), /not that of a time socket/],
    ['now NaN', (_id, right) => ({ ...right, now: null }), /not that of a time socket/],
    ['now 1e308', (_id, right) => ({ ...right, now: 1e308 }), /not that of a time socket/],
    ['a negative hold', (_id, right) => ({ ...right, hold: -1 }), /not that of a time socket/],
    ['a hold that is too long', (_id, right) => ({ ...right, hold: 41 }), /not that of a time socket/],
    ['another id', (id, right) => ({ ...right, id: id - 1 }), /is it cached/],
    ['no id', (_id, right) => ({ ...right, id: undefined }), /not that of a time socket/]
  ]
  for (const [title, body, reason] of bodies) {
    await t.test(`changes nothing: ${title}`, async (t) => {
      const { world, server, clock, events, ahead } = await setUpHttp(t)
      await world.advance(10_000)
      events.length = 0
      world.asked.length = 0
      world.answer = { status: 200, body: (id: number) => body(id, server.answer(id)) }
      for (let second = 0; second < 120; second++) {
        await world.advance(1000)
        if (Math.abs(ahead()) > clock.error) t.fail(`${ahead()} ± ${clock.error}`)
      }
      t.match(events.slice(0, 2), [
        ['close', { code: 1006, reason }],
        ['refused', { status: 200, code: 'NOT_A_TIME_SOCKET' }]
      ])
      t.ok(clock.synced && world.asked.length <= 24, `${world.asked.length} requests`)
    })
  }

  const others: [title: string, answer: WorldAnswer, code: string][] = [
    ['a redirect', { status: 0, type: 'opaqueredirect' }, 'REDIRECTED'],
    ['404', { status: 404 }, 'NOT_A_TIME_SOCKET']
  ]
  for (const [title, answer, code] of others) {
    await t.test(`changes nothing: ${title}`, async (t) => {
      const { world, clock, events } = await setUpHttp(t)
      await world.advance(10_000)
      world.answer = answer
      await world.advance(120_000)
      t.match(events.slice(1, 3), [['close', {}], ['refused', { code }]])
      t.ok(clock.synced)
    })
  }

  /** Answers with a body that is read piece by piece. */
  function streamed (pieces: () => Promise<Uint8Array | undefined>): PlainAnswer {
    const read = async () => {
      const value = await pieces()
      return { done: value === undefined, value }
    }
    return {
      status: 200,
      headers: { get: () => null },
      body: { getReader: () => ({ read }) },
      text: async () => { throw new Error('is not read as a whole') }
    }
  }

  await t.test('is abandoned if its body never ends', async (t) => {
    for (const kind of ['fast', 'slow']) {
      let count = 0
      const piece = new Uint8Array(1000).fill(120)
      const fetch = async () => streamed(async () => {
        count++
        return kind === 'fast' ? piece : new Promise<never>(() => {})
      })
      const clock = { transport: 'http', environment: { fetch } } as const
      const { world, events } = await setUpClock(t, { clock })
      for (let i = 0; i < 105; i++) await world.advance(100)
      t.match(events[0], ['close', { code: 1006 }])
      t.ok(count < 1000, `${count} pieces`)
    }
  })

  await t.test('is read in chunks', async (t) => {
    const { world, server } = await setUpClock(t)
    const fetch = async (_url: string, { headers }: { headers?: Record<string, string> }) => {
      const id = Number(/id=(\d+)/.exec(String(headers?.['accept']))?.[1])
      const bytes = new TextEncoder().encode(JSON.stringify(server.answer(id)))
      const pieces = [bytes.subarray(0, 10), bytes.subarray(10), undefined]
      return streamed(async () => pieces.shift())
    }
    const other = await setUpClock(t, { clock: { transport: 'http', environment: { fetch } } })
    await other.world.advance(1000)
    t.match(other.clock, { state: 'open', synced: true })
    t.equal(world.asked.length, 0)
  })
})

test('transport "auto"', async (t) => {
  /** WebSockets fail at once, requests succeed. */
  async function setUpBlocked (t: Parameters<typeof setUpClock>[0], options?: ClockSetUpOptions) {
    const setUp = await setUpClock(t, options)
    const { world, server } = setUp
    world.answer = { status: 200, body: server.answer }
    world.requestMs = 20.1
    let isBlocked = true
    const block = async (ms: number) => {
      for (let i = 0; i < ms / 10; i++) {
        if (isBlocked && world.sockets.alive > 0) world.peer.end()
        await world.advance(10)
      }
    }
    return { ...setUp, block, free: () => { isBlocked = false } }
  }

  await t.test('uses HTTP while WebSockets are blocked, and tries them without events', async (t) => {
    const { world, clock, events, block } = await setUpBlocked(t)
    await block(120_000)
    t.match(clock, { state: 'open', transport: 'http', synced: true })
    t.strictSame(events, [['open', null]])
    t.ok(world.peers.length > 4, `${world.peers.length} WebSockets`)
    t.ok(world.asked.length <= 24, `${world.asked.length} requests`)
  })

  await t.test('is back on the WebSocket within a minute, without a step', async (t) => {
    const { world, server, clock, events, block, free, ahead } = await setUpBlocked(t)
    await block(120_000)
    free()
    const { length } = world.peers
    for (let i = 0; i < 600 && world.peers.length === length; i++) await world.advance(100)
    server.serve(world.peer)
    await world.advance(1000)
    t.match(clock, { state: 'open', transport: 'websocket' })
    t.strictSame(events, [['open', null], ['open', null]])
    t.ok(Math.abs(ahead()) <= clock.error)
    const { length: askedCount } = world.asked
    await world.advance(10_000)
    t.equal(world.asked.length, askedCount)
  })

  await t.test('falls back when WebSockets are blocked later', async (t) => {
    const { world, server, clock, events, block } = await setUpBlocked(t)
    server.serve(world.peer)
    await world.advance(20_000)
    world.peer.end()
    await block(5000)
    t.match(clock, { state: 'open', transport: 'http', synced: true })
    t.strictSame(events.map(([name]) => name), ['open', 'close', 'open'])
  })

  await t.test('falls back if the upgrade succeeds and every frame is dropped', async (t) => {
    const { world, clock, events } = await setUpBlocked(t)
    world.peer.accept()
    await world.advance(12_000)
    t.match(clock, { state: 'open', transport: 'http', synced: true })
    t.strictSame(events, [['open', null]])
  })

  await t.test('uses HTTP between attempts if WebSockets are cut repeatedly', async (t) => {
    const { world, server, clock, events } = await setUpBlocked(t)
    for (let second = 0; second < 120; second++) {
      const { peer } = world
      if (peer.received.length === 0 && world.sockets.alive > 0) {
        server.serve(peer)
        world.later(5000, () => peer.end())
      }
      await world.advance(1000)
    }
    t.ok(events.length < 30, `${events.length} events in two minutes`)
    t.ok(clock.synced)
    t.ok(world.asked.length > 3)
  })

  await t.test('reports that the server is full, and syncs over HTTP', async (t) => {
    const { world, server, clock, events, block } = await setUpBlocked(t)
    const upgrade = { status: 503, code: 'FULL', retryAfter: 20 }
    world.answer = { status: 200, body: (id: number) => ({ ...server.answer(id), upgrade }) }
    await block(15_000)
    t.strictSame(events, [['refused', { status: 503, code: 'FULL' }], ['open', null]])
    t.strictSame([clock.transport, world.peers.length], ['http', 1])
    await block(10_000)
    t.ok(world.peers.length > 1)
  })

  await t.test('does nothing more if the listener of refused closes the clock', async (t) => {
    const { world, server, clock, block } = await setUpBlocked(t)
    clock.addEventListener('refused', () => clock.close())
    const upgrade = { status: 503, code: 'FULL' }
    world.answer = { status: 200, body: (id: number) => ({ ...server.answer(id), upgrade }) }
    await block(15_000)
    t.strictSame([clock.state, world.timers.alive], ['closed', 0])
  })

  await t.test('continues over HTTP when the server is reachable again and WebSockets stay blocked', async (t) => {
    const { world, server, clock, block } = await setUpBlocked(t)
    await block(10_000)
    world.answer = undefined
    await block(120_000)
    t.equal(clock.state, 'waiting')
    world.answer = { status: 200, body: server.answer }
    await block(31_000)
    t.match(clock, { state: 'open', transport: 'http' })
  })

  await t.test('waits if neither works', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    world.peer.end()
    await world.advance(1000)
    t.strictSame([clock.synced, events[0]?.[0]], [false, 'close'])
  })
})
