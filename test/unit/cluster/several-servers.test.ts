import { test } from 'tap'
import { createMemoryEngine } from '../../helpers/backplane/memory.js'
import { passUntil, simulateTimers } from '../../helpers/fakes/simulated-timers.js'
import { createApp, createTimeApp, TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import timeSocket from '../../../src/index.js'
import type { BroadcastOptions, TimeSocketOptions } from '../../../src/index.js'
import { inject } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

interface Seat {
  room: string
}

type Test = Parameters<typeof createTimeApp>[0]

/** Two servers that share an engine, with a client in each of two rooms. */
async function setUp (t: Test, options: TimeSocketOptions<Seat> = {}) {
  const engine = createMemoryEngine()
  const servers = await Promise.all(['here', 'there'].map(async (place) => {
    const { app, log, timeSocket } = await createTimeApp<Seat>(t, {
      backplane: engine.connect(),
      immediate: false,
      context: ({ headers: { room } }) => ({ room: String(room) }),
      ...options
    })
    const peers: Record<string, Peer> = {}
    for (const room of ['red', 'blue']) {
      peers[`${room} ${place}`] = await inject(app, '/time', { headers: { room } })
    }
    return { app, log, timeSocket, peers }
  }))
  const [here, there] = servers as [typeof servers[0], typeof servers[0]]
  const peers: Record<string, Peer> = { ...here.peers, ...there.peers }
  /** Waits until everything has arrived. @returns the names of those who got this message. */
  async function whoGot (message: unknown): Promise<string[]> {
    there.timeSocket.broadcast('end')
    await waitFor(() => Object.values(peers).every(({ messages }) => messages.includes('end')), 'the end')
    return Object.keys(peers).filter((name) => peers[name]?.messages.some((got) => {
      return JSON.stringify(got) === JSON.stringify(message)
    }))
  }
  return { engine, here, there, peers, whoGot }
}

type Servers = Awaited<ReturnType<typeof setUp>>

const ALL = ['red here', 'blue here', 'red there', 'blue there']
const idThere = ({ there }: Servers) => [...there.timeSocket.clients.keys()][0] ?? ''

const choices: [
  title: string, options: (servers: Servers) => BroadcastOptions, count: number, names: string[]
][] = [
  ['everybody', () => ({}), 2, ALL],
  ['the clients that where chooses', () => ({ where: { room: 'red' } }), 1, ['red here', 'red there']],
  ['the clients that where chooses by several values', () => ({ where: { room: ['blue', 'green'] } }), 1,
    ['blue here', 'blue there']],
  ['all clients but one on another server', (servers) => ({ except: idThere(servers) }), 2,
    ['red here', 'blue here', 'blue there']],
  ['only the local clients with local: true', () => ({ local: true }), 2, ['red here', 'blue here']],
  ['only the local clients with a filter', () => ({ filter: () => true }), 2, ['red here', 'blue here']]
]

for (const [title, optionsFor, count, names] of choices) {
  test(`a broadcast reaches ${title}, and returns the number of local recipients`, async (t) => {
    const servers = await setUp(t)
    t.equal(servers.here.timeSocket.broadcast('a message', optionsFor(servers)), count)
    t.strictSame(await servers.whoGot('a message'), names)
  })
}

const messages: [title: string, sent: string | object, got: unknown][] = [
  ['text', 'going once ✓\n', 'going once ✓\n'],
  ['text that looks like JSON', '{"a":1}', '{"a":1}'],
  ['a value', { bid: [5, null] }, '{"bid":[5,null]}'],
  ['a Date, as its JSON text', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ['bytes', Buffer.from([0, 10, 255]), Buffer.from([0, 10, 255])]
]

for (const [title, sent, got] of messages) {
  test(`clients of another server get ${title} in the same form as local clients`, async (t) => {
    const { here, whoGot } = await setUp(t)
    here.timeSocket.broadcast(sent)
    t.strictSame(await whoGot(got), ALL)
  })
}

test('clients of time.v1 on another server get the same message', async (t) => {
  const { app, here } = await setUp(t).then(({ here, there }) => ({ app: there.app, here }))
  const peer = await inject(app, '/time', { headers: { 'sec-websocket-protocol': 'time.v1' } })
  here.timeSocket.broadcast('as text')
  here.timeSocket.broadcast({ as: 'value' })
  const [, ...got] = await peer.received(3)
  t.strictSame(got, ['{"type":"message","data":"as text"}', '{"type":"message","data":{"as":"value"}}'])
})

test('a scheduled broadcast takes effect on every server, for plain clients and clients of time.v1', async (t) => {
  const time = simulateTimers(t)
  const { here, there, peers } = await setUp(t, { clock: time.clock })
  const peer = await inject(there.app, '/time', { headers: { 'sec-websocket-protocol': 'time.v1' } })
  const at = time.clock.now() + 300
  here.timeSocket.broadcast('sold', { at, key: 'lot 1' })
  const [, early] = await peer.received(2)
  t.equal(early, `{"type":"message","data":"sold","at":${at},"key":"lot 1"}`)
  time.advance(299)
  there.timeSocket.broadcast('just before', { local: true })
  time.advance(1)
  t.strictSame(await peers['red there']?.received(2), ['just before', 'sold'])
})

test('any server can replace and withdraw a scheduled broadcast on every server', async (t) => {
  const { here, there, peers } = await setUp(t)
  const peer = await inject(here.app, '/time', { headers: { 'sec-websocket-protocol': 'time.v1' } })
  const at = Date.now() + 60_000
  here.timeSocket.broadcast(1, { at, key: 'lot 1' })
  there.timeSocket.broadcast(2, { at, key: 'lot 1' })
  await peer.received(3)
  here.timeSocket.cancel('lot 1')
  there.timeSocket.broadcast('next')
  await peer.received(5)
  t.strictSame(peer.messages.slice(1).map((text) => JSON.parse(String(text))), [
    { type: 'message', data: 1, at, key: 'lot 1' },
    { type: 'message', data: 2, at, key: 'lot 1' },
    { type: 'cancel', key: 'lot 1' },
    { type: 'message', data: 'next' }
  ])
  t.equal(there.timeSocket.cancel('lot 1'), false, 'it is gone there as well')
  t.strictSame(peers['red there']?.messages, ['next'])
})

test('a broadcast that exceeds the limit of pending broadcasts counts as lost', async (t) => {
  const { here, there, whoGot } = await setUp(t)
  const at = Date.now() + 60_000
  for (let count = 0; count < 1000; count++) there.timeSocket.broadcast('own', { at, local: true })
  here.timeSocket.broadcast('one too many', { at })
  here.timeSocket.broadcast('now')
  t.strictSame(await whoGot('now'), ALL)
  const { received, lost } = there.timeSocket.stats().backplane ?? {}
  t.strictSame([received, lost], [1, 1])
})

test('cancel() on a closed time socket withdraws nothing on other servers', async (t) => {
  const { engine, here } = await setUp(t)
  await here.timeSocket.close()
  const publishedCount = engine.published.length
  here.timeSocket.cancel('lot 1')
  t.equal(engine.published.length, publishedCount)
})

test('local clients still get broadcasts while the engine is down', async (t) => {
  const { engine, here, peers } = await setUp(t)
  engine.isUp = false
  t.equal(here.timeSocket.broadcast('a message'), 2)
  await peers['red here']?.received(1)
  const { published, errors } = here.timeSocket.stats().backplane ?? {}
  t.strictSame([published, errors], [1, 1])
  t.strictSame(here.log.messages('error'), ['the backplane failed'])
})

test('each server counts the messages that it published and received', async (t) => {
  const { here, there, whoGot } = await setUp(t)
  here.timeSocket.broadcast('a message')
  await whoGot('a message')
  const none = { lost: 0, duplicate: 0, stale: 0, invalid: 0, errors: 0 }
  t.strictSame(here.timeSocket.stats().backplane, { published: 1, received: 1, ...none })
  t.strictSame(there.timeSocket.stats().backplane, { published: 1, received: 1, ...none })
})

test('there are no backplane counters without a backplane', async (t) => {
  const { timeSocket } = await createTimeApp(t)
  t.notOk('backplane' in timeSocket.stats())
})

test('two registrations of one application share a backplane, each with its own messages', async (t) => {
  const engine = createMemoryEngine()
  const apps = await Promise.all([1, 2].map(async () => {
    const { app } = createApp(t)
    const backplane = engine.connect()
    await app.register(timeSocket, { immediate: false, interval: TICKLESS_INTERVAL_MS, backplane })
    await app.register(timeSocket, {
      url: '/auction', namespace: 'auction', immediate: false, interval: TICKLESS_INTERVAL_MS, backplane
    } as TimeSocketOptions)
    await app.ready()
    return app
  }))
  const [one, other] = apps as [typeof apps[0], typeof apps[0]]
  const [peer, bidder] = [await inject(other), await inject(other, '/auction')]
  one.timeSocket.broadcast('a time')
  const auction = Reflect.get(one.timeSocket, 'auction') as typeof one.timeSocket
  auction.broadcast('a bid')
  await peer.received(1)
  await bidder.received(1)
  await auction.close()
  one.timeSocket.broadcast('still here')
  t.strictSame(await peer.received(2), ['a time', 'still here'])
  t.strictSame(bidder.messages, ['a bid'])
})

test('a closed time socket receives nothing from other servers, and releases the backplane', async (t) => {
  const { engine, here, there, peers } = await setUp(t)
  await there.timeSocket.close()
  t.equal(engine.subscriberCount, 1)
  here.timeSocket.broadcast('a message')
  await peers['red here']?.received(1)
  t.strictSame(peers['red there']?.messages, [])
})

test('messages that a backplane delivers after close() reach no client', async (t) => {
  const engine = createMemoryEngine()
  const { timeSocket: one } = await createTimeApp(t, { backplane: engine.connect() })
  const clinging = engine.connect()
  const { subscribe } = clinging
  clinging.subscribe = async (...args) => {
    await subscribe(...args)
    return async () => {}
  }
  clinging.close = async () => {}
  const options = { backplane: clinging, immediate: false }
  const { app, timeSocket: other } = await createTimeApp(t, options)
  const peer = await inject(app)
  await other.close()
  one.broadcast('a message')
  one.cancel('lot 1')
  await waitFor(() => other.stats().backplane?.received === 2, 'both')
  await peer.closed
  t.strictSame(peer.messages, [])
})

test('during a shutdown with a spread, clients that are not yet closed still get everything', async (t) => {
  const time = simulateTimers(t)
  const { here, there, peers } = await setUp(t, { clock: time.clock, shutdown: { spread: 300 } })
  const closed = there.timeSocket.close()
  await peers['red there']?.closed
  here.timeSocket.broadcast('a message')
  t.strictSame(await peers['blue there']?.received(1), ['a message'])
  await passUntil(closed, time)
  await passUntil(here.app.close(), time)
})

test('a closed backplane cannot be used again', async (t) => {
  const backplane = createMemoryEngine().connect()
  await backplane.close()
  const { app } = createApp(t)
  await app.register(timeSocket, { backplane })
  await t.rejects(async () => { await app.ready() }, { code: 'FST_TIME_SOCKET_BACKPLANE_CLOSED' })
})
