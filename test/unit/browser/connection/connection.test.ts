import { test } from 'tap'
import { ServerClock } from '../../../../src/browser/index.js'
import type { PlainAnswer, ServerClockUrl } from '../../../../src/browser/index.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'
import { setUpClock, setUpSynced } from '../../../helpers/fakes/clock-set-up.js'

/** So much later that each backoff is over. */
const LONG_MS = 31_000

test('the URL', async (t) => {
  const urls: [title: string, url: ServerClockUrl | undefined, resolved: string][] = [
    ['absent', undefined, 'wss://example.org/time'],
    ['absolute', 'ws://localhost:3000/time?a=1', 'ws://localhost:3000/time?a=1'],
    ['relative to the page', '../time', 'wss://example.org/time'],
    ['relative to its scheme', '//time.example.com', 'wss://time.example.com/'],
    ['of https', 'https://example.com/time', 'wss://example.com/time'],
    ['of http', 'http://example.com/http', 'ws://example.com/http'],
    ['a URL', new URL('http://example.com/time'), 'ws://example.com/time'],
    ['returned by a function', () => '/clock', 'wss://example.org/clock'],
    ['returned by an async function', async () => new URL('https://a.example/'), 'wss://a.example/']
  ]

  for (const [title, url, resolved] of urls) {
    await t.test(`is ${title}`, async (t) => {
      const { world } = await setUpClock(t, { ...(url !== undefined && { url }) })
      t.strictSame(world.peers.map(({ url }) => url), [resolved])
    })
  }

  await t.test('is relative to a worker’s own where there is no page', async (t) => {
    const page = { location: { href: 'http://localhost:3000/workers/clock.js' } }
    const { world } = await setUpClock(t, { clock: { environment: { page } } })
    t.equal(world.peer.url, 'ws://localhost:3000/time')
  })

  await t.test('is asked for anew for each connection', async (t) => {
    let count = 0
    const { world, server } = await setUpClock(t, { url: () => `/time?ticket=${++count}` })
    server.serve(world.peer)
    world.peer.end(1001)
    await world.advance(LONG_MS)
    t.strictSame(world.peers.slice(0, 2).map(({ url }) => url), [
      'wss://example.org/time?ticket=1', 'wss://example.org/time?ticket=2'
    ])
  })

  const failures: [title: string, url: ServerClockUrl, reason: RegExp][] = [
    ['a function that throws', () => { throw new Error('no ticket') }, /no ticket/],
    ['a function that rejects', () => Promise.reject(new Error('no ticket')), /no ticket/],
    ['a function that returns no URL', () => 'http://', /Invalid URL/]
  ]

  for (const [title, url, reason] of failures) {
    await t.test(`from ${title} fails the attempt, and is asked for again`, async (t) => {
      let count = 0
      const counted = () => {
        count++
        return typeof url === 'function' ? url() : url
      }
      const { world, clock, events } = await setUpClock(t, { url: counted })
      t.equal(clock.state, 'waiting')
      t.match(events, [['close', { code: 1006, reason, retryIn: 250 }]])
      await world.advance(250)
      t.strictSame([count, world.peers.length, world.asked], [2, 0, []])
    })
  }

  await t.test('that never comes is given up, and asked for again', async (t) => {
    let count = 0
    const { world, events } = await setUpClock(t, {
      url: () => {
        count++
        return new Promise<string>(() => {})
      }
    })
    await world.advance(12_000)
    t.match(events, [['close', { code: 1006, reason: 'silent' }]])
    t.equal(count, 2)
  })
})

test('a lost connection', async (t) => {
  await t.test('is made again after a random part of up to 30 s', async (t) => {
    const world = createWorld({ random: () => 1 - 2 ** -53 })
    const clock = new ServerClock('/time', { environment: world.environment })
    t.teardown(() => clock.close())
    const waits: (number | undefined)[] = []
    clock.addEventListener('close', ({ detail }) => waits.push(detail.retryIn))
    await world.advance(0)
    for (let i = 0; i < 10; i++) {
      world.peer.end()
      await world.advance(0)
      await world.advance(waits[i] ?? 0)
    }
    const expected = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]
    t.strictSame(waits.map((ms = NaN) => Math.round(ms)), expected)
    const starts = world.peers.map(({ startedMs }) => Math.round(startedMs))
    t.strictSame(starts.slice(1).map((ms, i) => ms - (starts[i] ?? NaN)), expected)
  })

  await t.test('tells how it ended, and is made again', async (t) => {
    const { world, server, clock, events } = await setUpSynced(t)
    await world.advance(5000)
    world.peer.end(1001, 'server shutting down')
    t.equal(clock.state, 'waiting')
    await world.advance(250)
    t.equal(clock.state, 'connecting')
    server.serve(world.peer)
    t.equal(clock.state, 'open')
    t.strictSame(events, [
      ['close', { code: 1001, reason: 'server shutting down', retryIn: 250 }],
      ['open', null]
    ])
    t.strictSame([world.asked, world.sockets], [[], { alive: 1, most: 1 }])
  })

  await t.test('that did not last counts as one more failure', async (t) => {
    const { world, server, events } = await setUpClock(t)
    for (let i = 0; i < 3; i++) {
      server.serve(world.peer)
      world.peer.end(1011)
      await world.advance(LONG_MS)
      world.answer = undefined
    }
    const waits = events.flatMap(([name, detail]) => name === 'close' ? [detail] : [])
    t.match(waits, [{ retryIn: 250 }, { retryIn: 500 }, { retryIn: 1000 }])
  })

  for (const [code, status] of [[4401, 401], [4403, 403]] as const) {
    await t.test(`is not made again after ${code}, until open()`, async (t) => {
      const { world, clock, events } = await setUpSynced(t)
      world.peer.end(code, 'over')
      await world.advance(10 * LONG_MS)
      t.strictSame(events, [
        ['close', { code, reason: 'over', retryIn: undefined }],
        ['refused', { status }]
      ])
      t.strictSame([clock.state, world.peers.length], ['refused', 1])
      world.page.dispatchEvent(new Event('online'))
      await world.advance(0)
      t.equal(world.peers.length, 1)
      clock.open()
      await world.advance(0)
      t.strictSame([clock.state, world.peers.length], ['connecting', 2])
    })
  }

  for (const code of [1000, 1006, 1008, 1011, 4000, 4402, 4404, 4429]) {
    await t.test(`is made again after ${code}, and is no refusal`, async (t) => {
      const { world, clock, events } = await setUpSynced(t)
      world.peer.end(code)
      await world.advance(1000)
      t.strictSame([clock.state, world.peers.length], ['connecting', 2])
      t.strictSame(events.map(([name]) => name), ['close'])
    })
  }
})

test('a refused upgrade', async (t) => {
  for (const status of [401, 403]) {
    await t.test(`is not tried again where a plain GET says ${status}`, async (t) => {
      const { world, clock, events } = await setUpClock(t)
      world.answer = { status }
      world.peer.end()
      await world.advance(10 * LONG_MS)
      t.strictSame(events, [
        ['close', { code: 1006, reason: '', retryIn: undefined }],
        ['refused', { status }]
      ])
      t.strictSame([clock.state, world.peers.length], ['refused', 1])
      t.strictSame(world.asked, ['https://example.org/time'])
    })
  }

  for (const status of [400, 404, 426, 500, 503]) {
    await t.test(`is tried again where it says ${status}`, async (t) => {
      const { world, clock, events } = await setUpClock(t)
      world.answer = { status }
      world.peer.end()
      await world.advance(250)
      t.strictSame(events, [
        ['close', { code: 1006, reason: '', retryIn: 250 }],
        ['refused', { status }]
      ])
      t.strictSame([clock.state, world.peers.length], ['connecting', 2])
    })
  }

  await t.test('is tried again where it says nothing that may be read', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    world.peer.end()
    await world.advance(250)
    t.strictSame(events.at(-1), ['refused', { status: 0 }])
    t.strictSame([clock.state, world.peers.length], ['connecting', 2])
  })

  await t.test('is no refusal where a plain GET succeeds', async (t) => {
    const { world, events } = await setUpClock(t)
    world.answer = { status: 200, body: { now: 1, protocols: ['time.v1'] } }
    world.peer.end()
    await world.advance(0)
    t.strictSame(events.map(([name]) => name), ['close'])
  })

  const waits: [title: string, status: number, retryAfter: string, ms: number][] = [
    ['seconds after 429', 429, '7', 7000],
    ['seconds after 503', 503, '2', 2000],
    ['a date', 503, 'Sat, 21 Nov 2026 12:01:00 GMT', 60_000],
    ['a date that is over', 503, 'Sat, 21 Nov 2026 11:00:00 GMT', 250],
    ['less than the backoff', 503, '0', 250],
    ['a negative number', 503, '-5', 250],
    ['nonsense', 503, 'soon', 250],
    ['what it says after another status', 500, '60', 250]
  ]

  for (const [title, status, retryAfter, ms] of waits) {
    await t.test(`waits ${ms} ms for Retry-After: ${title}`, async (t) => {
      const { world, clock, events } = await setUpClock(t)
      world.answer = { status, retryAfter }
      world.peer.end()
      await world.advance(0)
      t.strictSame(events[0], ['close', { code: 1006, reason: '', retryIn: ms }])
      if (ms > 250) {
        for (const name of ['online', 'pageshow', 'visibilitychange']) {
          world.page.dispatchEvent(new Event(name))
        }
      }
      await world.advance(ms - 1)
      t.equal(world.peers.length, 1)
      await world.advance(1)
      t.strictSame([clock.state, world.peers.length], ['connecting', 2])
    })
  }

  await t.test('asks no longer than ten seconds why', async (t) => {
    const fetch = () => new Promise<never>(() => {})
    const { world, clock, events } = await setUpClock(t, { clock: { environment: { fetch } } })
    world.peer.end()
    await world.advance(9000)
    t.strictSame([events, clock.state], [[], 'connecting'])
    await world.advance(3000)
    t.match(events, [['close', { code: 1006, reason: 'silent' }]])
    t.equal(world.peers.length, 2)
  })
})

test('a server without subprotocols', async (t) => {
  const offer = (offered: readonly string[]) => offered.length > 0

  await t.test('is tried without once the handshake with it has failed, and in turn', async (t) => {
    const { world, clock } = await setUpClock(t, { clock: { protocols: ['app.v1'] } })
    world.answer = { status: 426 }
    for (let i = 0; i < 4; i++) {
      world.peer.end()
      await world.advance(LONG_MS / 2)
    }
    t.strictSame(world.peers[0]?.offered, ['time.v1', 'app.v1'])
    const offers = world.peers.slice(0, 4).map(({ offered }) => offer(offered))
    t.strictSame(offers, [true, false, true, false])
    t.equal(clock.state, 'connecting')
  })

  await t.test('shows the time it tells, with no bound', async (t) => {
    const { world, server, clock, events, ahead } =
      await setUpClock(t, { world: { aheadMs: 2000 } })
    world.peer.end()
    await world.advance(250)
    world.peer.accept()
    world.peer.send(new Date(server.now()).toISOString())
    await world.advance(5000)
    t.ok(Math.abs(ahead()) < 1)
    t.match(clock, { error: Infinity, synced: false, protocol: '', state: 'open' })
    t.strictSame(world.peer.received, [])
    await t.rejects(clock.ready(), { message: 'plain' })
    t.strictSame(events.map(([name]) => name), ['close', 'refused', 'open', 'step'])
  })

  await t.test('that turns out to speak time.v1 is asked for it', async (t) => {
    const { world, server, clock } = await setUpClock(t)
    world.peer.end()
    await world.advance(250)
    t.strictSame(world.peer.offered, [])
    world.answer = { status: 200, body: { protocols: ['time.v1'] } }
    world.peer.accept()
    await world.advance(1000)
    t.strictSame([world.peers.length, world.peer.offered], [3, ['time.v1']])
    server.serve(world.peer)
    await world.advance(1000)
    t.ok(clock.synced)
    for (let i = 0; i < 3; i++) {
      world.answer = undefined
      world.peer.end()
      await world.advance(LONG_MS)
      t.strictSame(world.peer.offered, ['time.v1'])
    }
  })

  await t.test('is not taken for one while it is busy', async (t) => {
    const { world } = await setUpClock(t)
    for (const status of [503, 429, 500]) {
      world.answer = { status }
      world.peer.end()
      await world.advance(LONG_MS)
      t.strictSame(world.peer.offered, ['time.v1'])
    }
  })
})

test('close()', async (t) => {
  for (const state of ['connecting', 'open', 'waiting', 'refused']) {
    await t.test(`leaves nothing behind while ${state}`, async (t) => {
      const { world, server, clock, events } = await setUpClock(t)
      if (state !== 'connecting') {
        server.serve(world.peer)
        await world.advance(1000)
      }
      if (state === 'waiting') world.peer.end()
      if (state === 'refused') world.peer.end(4401)
      t.equal(clock.state, state)
      clock.at(clock.now() + 1000, () => t.fail('called back'))
      clock.every(1000, () => t.fail('called back'))
      events.length = 0
      clock.close()
      clock.close()
      t.strictSame(events, [['close', { code: 1000, reason: '', retryIn: undefined }]])
      t.strictSame([world.timers.alive, world.sockets.alive], [0, 0])
      for (const name of ['online', 'pageshow', 'visibilitychange']) {
        world.page.dispatchEvent(new Event(name))
      }
      await world.advance(10 * LONG_MS)
      t.strictSame([clock.state, world.peers.length], ['closed', 1])
    })
  }

  await t.test('while it is asked why, or for a URL, is the end of that as well', async (t) => {
    const signals: AbortSignal[] = []
    const { world, clock } = await setUpClock(t, {
      clock: {
        environment: {
          fetch: (_url, { signal }) => {
            signals.push(signal)
            return new Promise(() => {})
          }
        }
      }
    })
    world.peer.end()
    clock.close()
    t.strictSame(signals.map(({ aborted }) => aborted), [true])
    let resolve: (url: string) => void = () => {}
    const slow = new ServerClock(() => new Promise<string>((_resolve) => { resolve = _resolve }),
      { environment: world.environment })
    await world.advance(0)
    slow.close()
    resolve('/time')
    await world.advance(LONG_MS)
    t.strictSame([world.peers.length, world.timers.alive], [1, 0])
  })

  await t.test('tells the server', async (t) => {
    const { world, clock } = await setUpSynced(t)
    clock.close()
    t.equal(world.peer.closedWith, 1000)
  })

  await t.test('makes nothing of what still comes', async (t) => {
    const { world, clock, events } = await setUpSynced(t)
    const { peer } = world
    clock.close()
    clock.open()
    await world.advance(0)
    events.length = 0
    peer.send({ type: 'message', data: 'late' })
    peer.end(4401)
    await world.advance(0)
    t.strictSame([events, clock.state], [[], 'connecting'])
  })

  await t.test('ends everything, also when a listener calls it', async (t) => {
    for (const name of ['open', 'tick', 'sync', 'step', 'message', 'close', 'refused'] as const) {
      const { world, server, clock } = await setUpClock(t, { world: { aheadMs: 5000 } })
      const told: string[] = []
      for (const event of ['open', 'tick', 'sync', 'step', 'message', 'refused'] as const) {
        clock.addEventListener(event, () => { if (clock.state === 'closed') told.push(event) })
      }
      clock.addEventListener(name, () => clock.close())
      clock.at(world.serverNow() + 20_000, () => told.push('at'))
      world.answer = { status: 503 }
      if (name === 'refused') world.peer.end()
      else server.serve(world.peer)
      server.send({ type: 'message', data: 'hello' })
      server.send({ type: 'tick', seq: 0, at: 5, sent: server.now(), interval: 1000, clockSteps: 0 })
      await world.advance(1000)
      if (name === 'close') world.peer.end()
      await world.advance(LONG_MS)
      t.strictSame([name, clock.state, world.timers.alive, told], [name, 'closed', 0, []])
    }
  })

  await t.test('is the last word, though a message shows that the clock has stepped', async (t) => {
    for (const type of ['hello', 'tick', 'sync'] as const) {
      const { world, server, clock } = await setUpSynced(t)
      const told: string[] = []
      clock.addEventListener('step', () => clock.close())
      for (const event of ['tick', 'sync'] as const) {
        clock.addEventListener(event, () => { if (clock.state === 'closed') told.push(event) })
      }
      clock.at(server.now() + 3_620_000, () => told.push('at'))
      server.aheadMs = 3_600_000
      server.clockSteps = 1
      if (type === 'hello') world.peer.send({ type, server: 'other', interval: 5000, clockSteps: 1 })
      if (type === 'tick') server.send({ type, seq: 1, at: 5, sent: server.now(), clockSteps: 1 })
      await world.advance(LONG_MS)
      t.strictSame([type, clock.state, world.timers.alive, told], [type, 'closed', 0, []])
    }
  })

  await t.test('is the last word, though a message is what wakes it after a sleep', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    world.peer.accept()
    world.sleep(60_000)
    clock.addEventListener('step', () => clock.close())
    world.peer.send({ type: 'hello', server: 'k3f9x2ab', interval: 5000, clockSteps: 0 })
    await world.advance(LONG_MS)
    t.strictSame(events.map(([name]) => name), ['open', 'step', 'close'])
    t.strictSame([world.peer.received, world.timers.alive], [[], 0])
  })

  await t.test('called in a listener for its end, hides that the server has refused', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    clock.addEventListener('close', () => clock.close())
    world.answer = { status: 403 }
    world.peer.end()
    await world.advance(1000)
    t.strictSame([events.map(([name]) => name), clock.state], [['close', 'close'], 'closed'])
  })
})

test('open()', async (t) => {
  await t.test('does nothing on a clock that is open, or connecting', async (t) => {
    const { world, server, clock } = await setUpClock(t)
    clock.open()
    server.serve(world.peer)
    clock.open()
    await world.advance(1000)
    t.strictSame([clock.state, world.peers.length], ['open', 1])
  })

  await t.test('connects at once after close(), and keeps the estimate', async (t) => {
    const { world, server, clock, ahead } = await setUpSynced(t, { world: { aheadMs: 700 } })
    clock.close()
    await world.advance(60_000)
    t.ok(clock.synced)
    clock.open()
    await world.advance(0)
    server.serve(world.peer)
    t.ok(clock.synced)
    t.ok(Math.abs(ahead()) <= clock.error)
  })

  await t.test('connects at once rather than wait', async (t) => {
    const { world, clock } = await setUpClock(t)
    world.answer = { status: 503, retryAfter: '60' }
    world.peer.end()
    await world.advance(1000)
    clock.open()
    await world.advance(0)
    t.strictSame([clock.state, world.peers.length], ['connecting', 2])
  })
})

test('send()', async (t) => {
  await t.test('carries any JSON value, and bytes as they are', async (t) => {
    const { world, clock } = await setUpSynced(t)
    world.peer.received.length = 0
    const bytes = new Uint8Array([1, 2])
    const sent = ['hi', { bid: 5 }, null, bytes, bytes.buffer].map((data) => clock.send(data))
    t.strictSame(sent, [true, true, true, true, true])
    t.strictSame(world.peer.received, [
      { type: 'message', data: 'hi' },
      { type: 'message', data: { bid: 5 } },
      { type: 'message', data: null },
      bytes,
      bytes.buffer
    ])
  })

  await t.test('is false while there is no connection', async (t) => {
    const { world, clock } = await setUpClock(t)
    const sent = [clock.send('hi')]
    world.peer.accept()
    world.peer.end()
    sent.push(clock.send('hi'))
    clock.close()
    sent.push(clock.send('hi'))
    t.strictSame([sent, world.peer.received], [[false, false, false], []])
  })
})

test('closed while it asks why it was refused, it says nothing more', async (t) => {
  let answer = (_status: number): void => {}
  const fetch = () => new Promise<PlainAnswer>((resolve) => {
    answer = (status) => resolve({ status, headers: { get: () => null }, json: async () => ({}) })
  })
  const { world, clock, events } = await setUpClock(t, { clock: { environment: { fetch } } })
  world.peer.end()
  await world.advance(10)
  clock.close()
  answer(401)
  await world.advance(LONG_MS)
  t.strictSame([clock.state, world.peers.length], ['closed', 1])
  t.strictSame(events, [['close', { code: 1000, reason: '', retryIn: undefined }]])
})
