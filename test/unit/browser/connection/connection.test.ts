import { test } from 'tap'
import { ServerClock } from '../../../../src/browser/index.js'
import type { Environment, PlainAnswer, ServerClockUrl } from '../../../../src/browser/index.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'
import type { WorldAnswer } from '../../../helpers/fakes/client-world.js'
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

  await t.test('is relative to the URL of a worker if there is no page', async (t) => {
    const page = { location: { href: 'http://localhost:3000/workers/clock.js' } }
    const { world } = await setUpClock(t, { clock: { environment: { page } } })
    t.equal(world.peer.url, 'ws://localhost:3000/time')
  })

  await t.test('is resolved again for each connection', async (t) => {
    let count = 0
    const { world, server } = await setUpClock(t, { url: () => `/time?ticket=${++count}` })
    server.serve(world.peer)
    await world.advance(100)
    world.peer.end(1001)
    await world.advance(LONG_MS)
    t.strictSame(world.peers.slice(0, 2).map(({ url }) => url), [
      'wss://example.org/time?ticket=1', 'wss://example.org/time?ticket=2'
    ])
  })

  const failures: [title: string, url: ServerClockUrl, reason: RegExp][] = [
    ['a function that throws', () => { throw new Error('no ticket') }, /no ticket/],
    ['a function that throws a string', () => { throw String('no ticket') }, /no ticket/],
    ['a function that rejects', () => Promise.reject(new Error('no ticket')), /no ticket/],
    ['a function that returns an invalid URL', () => 'http://', /Cannot connect to "http:\/\/": it is not a valid URL/]
  ]

  for (const [title, url, reason] of failures) {
    await t.test(`from ${title} fails the attempt, and is resolved again`, async (t) => {
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

  await t.test('that cannot be resolved for the plain GET is the reason of the failed attempt', async (t) => {
    let count = 0
    const { world, clock, events } = await setUpClock(t, {
      url: () => {
        if (++count === 2) throw new Error('no ticket')
        return '/time'
      }
    })
    world.peer.end()
    await world.advance(100)
    t.strictSame(world.asked, [])
    t.match(events, [['close', { code: 1006, reason: /no ticket/, retryIn: 250 }]])
    t.equal(clock.state, 'waiting')
  })

  await t.test('that never resolves times out, and is resolved again', async (t) => {
    let count = 0
    const { world, events } = await setUpClock(t, {
      url: () => {
        count++
        return new Promise<string>(() => {})
      }
    })
    await world.advance(10_600)
    t.match(events, [['close', { code: 1006, reason: 'the URL cannot be resolved: it took over 10 s' }]])
    t.equal(count, 2)
  })
})

test('a lost connection', async (t) => {
  await t.test('is restored after a random delay of up to 30 s', async (t) => {
    const world = createWorld({ random: () => 1 - 2 ** -53 })
    const clock = new ServerClock('https://time.example/', { environment: world.environment })
    t.teardown(() => clock.close())
    const waits: (number | undefined)[] = []
    clock.addEventListener('close', ({ detail }) => waits.push(detail.retryIn))
    await world.advance(0)
    // Somebody answers, so that a WebSocket is tried each time.
    world.answer = { status: 404 }
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

  await t.test('reports how it ended, and is restored', async (t) => {
    const { world, server, clock, events } = await setUpSynced(t)
    await world.advance(5000)
    world.peer.end(1001, 'server shutting down')
    t.equal(clock.state, 'waiting')
    await world.advance(250)
    t.equal(clock.state, 'connecting')
    server.serve(world.peer)
    await world.advance(100)
    t.equal(clock.state, 'open')
    t.strictSame(events, [
      ['close', { code: 1001, reason: 'server shutting down', retryIn: 250 }],
      ['open', null]
    ])
    t.strictSame([world.asked, world.sockets], [[], { alive: 1, most: 1 }])
  })

  await t.test('that was short counts as one more failure', async (t) => {
    const { world, server, events } = await setUpClock(t)
    for (let i = 0; i < 3; i++) {
      server.serve(world.peer)
      await world.advance(100)
      world.peer.end(1011)
      await world.advance(LONG_MS)
      world.answer = undefined
    }
    const waits = events.flatMap(([name, detail]) => name === 'close' ? [detail] : [])
    t.match(waits, [{ retryIn: 250 }, { retryIn: 500 }, { retryIn: 1000 }])
  })

  await t.test('is not restored after 4403, until open()', async (t) => {
    const { world, clock, events } = await setUpSynced(t)
    world.peer.end(4403, 'over')
    await world.advance(10 * LONG_MS)
    t.strictSame(events, [
      ['close', { code: 4403, reason: 'over', retryIn: undefined }],
      ['refused', { status: 403, code: 'DO_NOT_RECONNECT' }]
    ])
    t.strictSame([clock.state, world.peers.length, world.asked], ['refused', 1, []])
    world.page.dispatchEvent(new Event('online'))
    await world.advance(0)
    t.strictSame([world.peers.length, world.asked], [1, []])
    clock.open()
    await world.advance(0)
    t.strictSame([clock.state, world.peers.length], ['connecting', 2])
  })

  await t.test('is restored after 4401 if the session was renewed', async (t) => {
    const { world, server, clock, events } = await setUpSynced(t)
    world.answer = { status: 200, body: server.answer }
    world.peer.end(4401, 'expired')
    await world.advance(500)
    server.serve(world.peer)
    t.strictSame(events, [['close', { code: 4401, reason: 'expired', retryIn: 250 }]])
    await world.advance(1000)
    t.strictSame([clock.state, clock.transport, world.asked.length], ['open', 'websocket', 1])
  })

  await t.test('is not restored after 4401 if the session was not renewed', async (t) => {
    const { world, clock, events } = await setUpSynced(t)
    world.answer = { status: 401, body: { code: 'FST_TIME_SOCKET_EXPIRED' } }
    world.peer.end(4401, 'expired')
    await world.advance(10 * LONG_MS)
    t.strictSame(events, [
      ['close', { code: 4401, reason: 'expired', retryIn: undefined }],
      ['refused', { status: 401, code: 'FST_TIME_SOCKET_EXPIRED' }]
    ])
    t.strictSame([clock.state, world.peers.length], ['refused', 1])
  })

  await t.test('is restored after 4401 if the server does not answer', async (t) => {
    const { world, clock, events } = await setUpSynced(t)
    world.peer.end(4401, 'expired')
    await world.advance(0)
    t.strictSame(events, [['close', { code: 4401, reason: 'expired', retryIn: 250 }]])
    t.equal(clock.state, 'waiting')
  })

  for (const code of [1000, 1006, 1008, 1011, 4000, 4402, 4404, 4429]) {
    await t.test(`is restored after ${code}, which is not a refusal`, async (t) => {
      const { world, clock, events } = await setUpSynced(t)
      world.peer.end(code)
      await world.advance(1000)
      t.strictSame([clock.state, world.peers.length], ['connecting', 2])
      t.strictSame(events.map(([name]) => name), ['close'])
    })
  }
})

test('an attempt that fails', async (t) => {
  const finals: [status: number, body: unknown, code: string | undefined][] = [
    [401, { code: 'FST_TIME_SOCKET_EXPIRED' }, 'FST_TIME_SOCKET_EXPIRED'],
    [401, '<html>sign in</html>', undefined],
    [403, { code: 7 }, undefined],
    [403, { code: 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN' }, 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN']
  ]
  for (const [status, body, code] of finals) {
    await t.test(`is final if a plain GET is answered with ${status}, ${JSON.stringify(body)}`, async (t) => {
      const { world, clock, events } = await setUpClock(t)
      world.answer = { status, body }
      world.peer.end()
      await world.advance(10 * LONG_MS)
      t.strictSame(events, [
        ['close', { code: 1006, reason: `the server refuses with ${status}`, retryIn: undefined }],
        ['refused', { status, code }]
      ])
      t.strictSame([clock.state, world.peers.length], ['refused', 1])
      t.strictSame(world.asked, ['https://example.org/time'])
    })
  }

  await t.test('is followed by one GET that names the page, keeps cookies, caches nothing', async (t) => {
    const { world } = await setUpClock(t)
    world.answer = { status: 401 }
    world.peer.end()
    await world.advance(0)
    const [{ signal: _signal, headers = {}, ...request } = {}] = world.requests
    t.strictSame(request, { redirect: 'manual', cache: 'no-store', credentials: 'include' })
    t.match(headers['accept'], /^application\/vnd\.time-socket\+json;id=\d+$/)
    t.equal(headers['time-socket-origin'], 'https://example.org')
  })

  await t.test('does not name the page to another origin', async (t) => {
    const { world } = await setUpClock(t, { url: 'wss://time.example/' })
    world.answer = { status: 401 }
    world.peer.end()
    await world.advance(0)
    t.strictSame(Object.keys(world.requests[0]?.headers ?? {}), ['accept'])
  })

  type Refusal = [title: string, answer: WorldAnswer, status: number, code: string | undefined]
  const refusals: Refusal[] = [
    ['a redirect', { status: 0, type: 'opaqueredirect' }, 0, 'REDIRECTED'],
    ['a redirect in Node.js', { status: 302 }, 0, 'REDIRECTED'],
    ['404', { status: 404 }, 404, 'NOT_A_TIME_SOCKET'],
    ['400', { status: 400 }, 400, 'NOT_A_TIME_SOCKET'],
    ['a page', { status: 200, body: '<html></html>' }, 200, 'NOT_A_TIME_SOCKET'],
    ['503', { status: 503, body: { code: 'FULL' } }, 503, 'FULL'],
    ['429', { status: 429 }, 429, undefined]
  ]
  for (const [title, answer, status, code] of refusals) {
    await t.test(`is reported, and repeated, if the answer is ${title}`, async (t) => {
      const { world, clock, events } = await setUpClock(t)
      world.answer = answer
      world.peer.end()
      await world.advance(250)
      t.match(events, [['close', { code: 1006, reason: /\w/, retryIn: 250 }], ['refused', { status }]])
      t.strictSame(events[1], ['refused', { status, code }])
      t.strictSame([clock.state, world.peers.length], ['connecting', 2])
    })
  }

  for (const status of [500, 502, 504]) {
    await t.test(`is not a refusal if the answer is ${status}`, async (t) => {
      const { world, clock, events } = await setUpClock(t)
      world.answer = { status }
      world.peer.end()
      await world.advance(100)
      t.strictSame(events, [
        ['close', { code: 1006, reason: `the server answers ${status}`, retryIn: 250 }]
      ])
      t.equal(clock.state, 'waiting')
    })
  }

  await t.test('is not a refusal if the server does not answer', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    world.peer.end()
    await world.advance(100)
    t.strictSame(events, [
      ['close', { code: 1006, reason: 'the server does not answer', retryIn: 250 }]
    ])
    t.equal(clock.state, 'waiting')
  })

  await t.test('is not a refusal if the server does not answer within ten seconds', async (t) => {
    const fetch = () => new Promise<never>(() => {})
    const { world, clock, events } = await setUpClock(t, { clock: { environment: { fetch } } })
    world.peer.end()
    await world.advance(9900)
    t.strictSame([events, clock.state], [[], 'connecting'])
    await world.advance(200)
    t.match(events, [['close', { code: 1006, reason: 'the server does not answer' }]])
  })

  await t.test('gets a new ticket each time, and uses none twice', async (t) => {
    let count = 0
    const { world } = await setUpClock(t, { url: () => `/time?ticket=${++count}` })
    for (let i = 0; i < 3; i++) {
      world.answer = i === 1 ? undefined : { status: 503 }
      world.peer.end()
      await world.advance(LONG_MS)
    }
    const asked = world.asked.filter((url) => new URL(url).pathname !== '/')
    const used = [...asked, ...world.peers.map(({ url }) => url)]
      .map((url) => Number(new URL(url).searchParams.get('ticket'))).sort((a, b) => a - b)
    t.strictSame(used, used.map((_, index) => index + 1))
    t.ok(used.length >= 6, `${used.length} uses`)
  })

  await t.test('uses no ticket twice if the page may not read the answers of another server', async (t) => {
    let count = 0
    const { world } = await setUpClock(t, { url: () => `wss://time.example/${++count}` })
    world.isReadable = false
    world.answer = { status: 403 }
    world.peer.end()
    await world.advance(4 * LONG_MS)
    const asked = world.asked.filter((url) => new URL(url).pathname !== '/')
    const used = [...asked, ...world.peers.map(({ url }) => url)]
      .map((url) => Number(new URL(url).pathname.slice(1))).sort((a, b) => a - b)
    t.strictSame(used, used.map((_, index) => index + 1))
    t.ok(used.length >= 9, `${used.length} uses`)
  })

  await t.test('is not a refusal if the page may not read the answer of another server', async (t) => {
    const { world, clock, events } = await setUpClock(t, { url: 'wss://time.example/' })
    world.isReadable = false
    world.answer = { status: 403 }
    world.peer.end()
    await world.advance(100)
    t.strictSame(events, [
      ['close', { code: 1006, reason: 'the server does not answer', retryIn: 250 }]
    ])
    t.strictSame([clock.state, world.asked.length], ['waiting', 2])
  })

  const waits: [title: string, answer: WorldAnswer, ms: number][] = [
    ['seconds after 429', { status: 429, retryAfter: '7' }, 7000],
    ['seconds after 503', { status: 503, retryAfter: '2' }, 2000],
    ['a date, by the server’s clock', {
      status: 503, retryAfter: 'Sat, 21 Nov 2026 13:01:00 GMT', date: 'Sat, 21 Nov 2026 13:00:00 GMT'
    }, 60_000],
    ['a date that is over', {
      status: 503, retryAfter: 'Sat, 21 Nov 2026 11:00:00 GMT', date: 'Sat, 21 Nov 2026 13:00:00 GMT'
    }, 250],
    ['a date from a server that hides its clock', {
      status: 503, retryAfter: 'Sat, 21 Nov 2026 13:01:00 GMT'
    }, 250],
    ['less than the backoff', { status: 503, retryAfter: '0' }, 250],
    ['a negative number', { status: 503, retryAfter: '-5' }, 250],
    ['an infinite one', { status: 503, retryAfter: '1e999' }, 250],
    ['nonsense', { status: 503, retryAfter: 'soon' }, 250],
    ['what it says after another status', { status: 404, retryAfter: '60' }, 250]
  ]
  for (const [title, answer, ms] of waits) {
    await t.test(`waits ${ms} ms for Retry-After: ${title}`, async (t) => {
      const { world, clock, events } = await setUpClock(t, { url: 'wss://time.example/' })
      world.answer = answer
      world.peer.end()
      await world.advance(0)
      t.match(events[0], ['close', { code: 1006, retryIn: ms }])
      if (ms > 250) {
        for (const name of ['online', 'pageshow', 'visibilitychange']) {
          world.page.dispatchEvent(new Event(name))
        }
      }
      await world.advance(ms - 1)
      t.equal(world.peers.length, 1)
      await world.advance(1)
      t.equal(clock.state, 'connecting')
    })
  }

  await t.test('gives a reason, if the WebSocket has none', async (t) => {
    const { world, events } = await setUpClock(t)
    world.peer.fail()
    await world.advance(49)
    t.strictSame(events, [])
    await world.advance(1)
    t.match(events, [['close', { code: 1006, reason: /is forbidden here/, retryIn: 250 }]])
  })

  await t.test('waits for the close that follows an error', async (t) => {
    const { world, events } = await setUpSynced(t)
    world.peer.fail()
    world.peer.end(1009, 'too big')
    world.peer.fail()
    await world.advance(100)
    t.strictSame(events, [['close', { code: 1009, reason: 'too big', retryIn: 250 }]])
  })

  await t.test('is repeated if the WebSocket cannot even be constructed', async (t) => {
    class Forbidden {
      constructor () { throw new Error('SecurityError') }
    }
    // @ts-expect-error: it is none
    const environment: Partial<Environment> = { WebSocket: Forbidden }
    const { world, clock, events } = await setUpClock(t, { clock: { environment } })
    await world.advance(0)
    t.match(events, [['close', { code: 1006, reason: /is forbidden here/, retryIn: 250 }]])
    t.equal(clock.state, 'waiting')
  })
})

test('a client that was refused', async (t) => {
  await t.test('tries again when the page becomes visible or online, at most once a minute', async (t) => {
    const { world, server, clock } = await setUpClock(t)
    world.answer = { status: 401 }
    world.peer.end()
    await world.advance(1000)
    for (let i = 0; i < 10; i++) {
      world.page.dispatchEvent(new Event('visibilitychange'))
      world.page.dispatchEvent(new Event('online'))
      await world.advance(1000)
    }
    t.strictSame([world.asked.length, clock.state], [2, 'refused'])
    await world.advance(60_000)
    world.answer = { status: 200, body: server.answer }
    world.page.dispatchEvent(new Event('online'))
    await world.advance(0)
    t.strictSame([world.asked.length, clock.state, world.peers.length], [3, 'connecting', 2])
  })

  await t.test('sends no requests by itself', async (t) => {
    const { world } = await setUpClock(t)
    world.answer = { status: 403 }
    world.peer.end()
    await world.advance(100 * LONG_MS)
    t.equal(world.asked.length, 1)
  })
})

test('while the server is down', async (t) => {
  await t.test('a GET is sent before a WebSocket is opened', async (t) => {
    const { world, server, clock, events } = await setUpClock(t)
    world.peer.end()
    await world.advance(20_000)
    t.equal(world.peers.length, 1)
    t.ok(world.asked.length > 2, `${world.asked.length} requests`)
    world.answer = { status: 200, body: server.answer }
    for (let i = 0; i < 310 && world.peers.length < 2; i++) await world.advance(100)
    t.strictSame([world.peers.length, world.peer.offered], [2, ['time.v1']])
    server.serve(world.peer)
    await world.advance(1000)
    t.strictSame([clock.state, clock.transport], ['open', 'websocket'])
    t.strictSame(new Set(events.map(([name]) => name)), new Set(['close', 'open']))
  })

  await t.test('a WebSocket is still tried once a minute', async (t) => {
    const { world } = await setUpClock(t)
    world.peer.end()
    for (let second = 0; second < 300; second++) {
      await world.advance(1000)
      if (world.sockets.alive > 0) world.peer.end()
    }
    t.ok(world.peers.length >= 4 && world.peers.length <= 6, `${world.peers.length} WebSockets`)
  })

  await t.test('an answer that the page may not read shows that the server is up', async (t) => {
    const { world } = await setUpClock(t, { url: 'wss://time.example/time?ticket=1' })
    world.isReadable = false
    world.peer.end()
    await world.advance(10_000)
    t.equal(world.peers.length, 1)
    t.equal(world.asked.at(-1), 'https://time.example/')
    t.match(world.requests.at(-1), { mode: 'no-cors', redirect: 'follow', credentials: 'omit' })
    world.answer = { status: 502 }
    await world.advance(31_000)
    t.ok(world.peers.length > 1)
  })

  await t.test('a refusal in the answer is reported', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    world.peer.end()
    await world.advance(1000)
    events.length = 0
    world.answer = { status: 401 }
    await world.advance(31_000)
    t.match(events.slice(-2), [['close', { code: 1006 }], ['refused', { status: 401 }]])
    t.strictSame([clock.state, world.peers.length], ['refused', 1])
  })

  await t.test('the clock ignores the answer if it was closed meanwhile', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    world.peer.end()
    await world.advance(200)
    world.requestMs = 100
    await world.advance(100)
    clock.close()
    await world.advance(1000)
    t.strictSame(events.map(([name]) => name), ['close', 'close'])
    t.equal(world.timers.alive, 0)
  })
})

test('a page where WebSockets are blocked', async (t) => {
  const clock = { transport: 'websocket' } as const

  await t.test('gets the event refused at the second attempt, with transport "websocket"', async (t) => {
    const { world, server, events } = await setUpClock(t, { clock })
    world.answer = { status: 200, body: server.answer }
    for (let i = 0; i < 3; i++) {
      world.peer.end()
      await world.advance(1000)
    }
    const blocked = ['refused', { status: 200, code: 'BLOCKED' }]
    t.strictSame(events.map(([name, detail]) => name === 'close' ? name : [name, detail]),
      ['close', 'close', blocked, 'close', blocked])
    t.equal(world.peers.length, 4)
  })

  await t.test('does not get it when the server is full', async (t) => {
    const { world, server, events } = await setUpClock(t, { clock })
    const upgrade = { status: 503, code: 'FULL', retryAfter: 7 }
    world.answer = { status: 200, body: (id: number) => ({ ...server.answer(id), upgrade }) }
    world.peer.end()
    await world.advance(0)
    t.match(events, [['close', { retryIn: 7000 }], ['refused', { status: 503, code: 'FULL' }]])
  })
})

test('waking', async (t) => {
  await t.test('restarts an attempt that hangs', async (t) => {
    for (const name of ['online', 'visibilitychange', 'resume']) {
      const { world } = await setUpClock(t)
      world.page.dispatchEvent(new Event(name))
      await world.advance(0)
      t.equal(world.peers.length, 1, 'a young one is left alone')
      await world.advance(2000)
      world.page.dispatchEvent(new Event(name))
      await world.advance(0)
      t.strictSame([world.peers.length, world.sockets], [2, { alive: 1, most: 1 }])
    }
  })

  await t.test('restarts even a young attempt after a sleep', async (t) => {
    const { world, clock } = await setUpClock(t)
    world.sleep(60_000)
    clock.now()
    await world.advance(0)
    t.strictSame([world.peers.length, world.sockets.alive], [2, 1])
  })

  await t.test('starts no more than twelve attempts a minute', async (t) => {
    const { world } = await setUpClock(t)
    for (let i = 0; i < 59; i++) {
      await world.advance(1000)
      world.peer.end()
      world.page.dispatchEvent(new Event('online'))
    }
    t.ok(world.peers.length <= 14, `${world.peers.length} attempts`)
  })
})

test('a page in the back/forward cache', async (t) => {
  const hide = (persisted: boolean) => Object.assign(new Event('pagehide'), { persisted })
  const show = () => Object.assign(new Event('pageshow'), { persisted: true })

  await t.test('is not connected, and connects at once when it leaves the cache', async (t) => {
    const { world, server, clock, events } = await setUpSynced(t)
    world.page.dispatchEvent(hide(true))
    const reason = 'the page is in the back/forward cache'
    t.strictSame(events, [['close', { code: 1000, reason, retryIn: undefined }]])
    t.strictSame([clock.state, world.sockets.alive, world.peer.closedWith], ['waiting', 0, 1000])
    await world.advance(60_000)
    t.equal(world.peers.length, 1)
    world.page.dispatchEvent(show())
    await world.advance(0)
    server.serve(world.peer)
    await world.advance(1000)
    t.strictSame([clock.state, world.peers.length], ['open', 2])
  })

  await t.test('stays connected if it is not kept', async (t) => {
    const { world, clock } = await setUpSynced(t)
    world.page.dispatchEvent(hide(false))
    t.equal(clock.state, 'open')
  })

  await t.test('does not connect when it leaves the cache if the clock is closed or refused', async (t) => {
    for (const end of ['close', 'refuse']) {
      const { world, clock } = await setUpSynced(t)
      if (end === 'close') {
        world.page.dispatchEvent(hide(true))
        clock.close()
      } else {
        world.peer.end(4403)
        world.page.dispatchEvent(hide(true))
      }
      world.page.dispatchEvent(show())
      await world.advance(1000)
      t.strictSame([world.peers.length, clock.state], [1, end === 'close' ? 'closed' : 'refused'])
    }
  })

  await t.test('does not restart the attempt when it is shown for the first time', async (t) => {
    const { world } = await setUpClock(t)
    await world.advance(5000)
    world.page.dispatchEvent(new Event('pageshow'))
    await world.advance(0)
    t.equal(world.peers.length, 1)
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
      if (state === 'refused') world.peer.end(4403)
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

  await t.test('during the GET to another server sends no further request', async (t) => {
    const { world, clock } = await setUpClock(t, { url: 'wss://time.example/' })
    world.requestMs = 1000
    world.peer.end()
    await world.advance(500)
    clock.close()
    await world.advance(LONG_MS)
    t.strictSame([world.asked.length, world.timers.alive], [1, 0])
  })

  await t.test('also ends a pending GET, and a pending URL function', async (t) => {
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
    await world.advance(0)
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

  await t.test('sends the close code to the server', async (t) => {
    const { world, clock } = await setUpSynced(t)
    clock.close()
    t.equal(world.peer.closedWith, 1000)
  })

  await t.test('ignores messages that still arrive', async (t) => {
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
      await world.advance(30)
      server.send({ type: 'message', data: 'hello' })
      server.send({ type: 'tick', seq: 0, at: 5, sent: server.now(), interval: 1000, clockSteps: 0 })
      await world.advance(1000)
      if (name === 'close') world.peer.end()
      await world.advance(LONG_MS)
      t.strictSame([name, clock.state, world.timers.alive, told], [name, 'closed', 0, []])
    }
  })

  await t.test('is the last event, even when called while a message reports a clock step', async (t) => {
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

  await t.test('is the last event, even when called while a message ends a sleep', async (t) => {
    const { world, clock, events } = await setUpClock(t)
    world.peer.accept()
    world.sleep(60_000)
    clock.addEventListener('step', () => clock.close())
    world.peer.send({ type: 'hello', server: 'k3f9x2ab', interval: 5000, clockSteps: 0 })
    await world.advance(LONG_MS)
    t.strictSame(events.map(([name]) => name), ['step', 'close'])
    t.strictSame([world.peer.received, world.timers.alive], [[], 0])
  })

  await t.test('hides the refusal if it is called in a listener of close', async (t) => {
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

  await t.test('called often does not shorten the pauses', async (t) => {
    const { world, clock, events } = await setUpSynced(t)
    for (let i = 0; i < 100; i++) clock.open()
    await world.advance(5000)
    t.strictSame([clock.state, world.timers.most < 5, events], ['open', true, []])
  })

  await t.test('connects at once instead of waiting', async (t) => {
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

  await t.test('refuses what has no JSON text', async (t) => {
    const { world, clock } = await setUpSynced(t)
    world.peer.received.length = 0
    for (const data of [undefined, () => {}, Symbol('s'), 1n]) {
      t.throws(() => clock.send(data), { name: 'TypeError' })
    }
    t.strictSame(world.peer.received, [])
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

test('a clock that is closed while it asks for the reason of a refusal fires no more events', async (t) => {
  let answer = (_status: number): void => {}
  const fetch = () => new Promise<PlainAnswer>((resolve) => {
    answer = (status) => resolve({ status, headers: { get: () => null }, text: async () => '' })
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
