import { once } from 'node:events'
import net from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { CloseInfo } from '../../../src/index.js'
import { passUntil, simulateTimers } from '../../helpers/fakes/simulated-timers.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { connect, inject, refused } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'
import { waitFor, within } from '../../helpers/network/wait.js'

const SHUTDOWN = [1001, 'server shutting down']

/** A client that reads and writes bytes, and answers nothing. */
async function connectMute (port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1')
  socket.write('GET /time HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  socket.on('error', () => {})
  await within(once(socket, 'data'), 'the 101')
  return socket
}

function connectMany (port: number, count: number): Promise<Peer[]> {
  return Promise.all(Array.from({ length: count }, () => connect(`ws://127.0.0.1:${port}/time`)))
}

test('app.close closes every client with 1001 and the reason, without waiting for the grace', async (t) => {
  simulateTimers(t)
  const closes: CloseInfo[] = []
  const { app } = await createTimeApp(t, { onClose: (_client, info) => closes.push(info) })
  const peers = await connectMany(await listen(app), 50)
  await app.close()
  for (const peer of peers) t.strictSame(await peer.closed, SHUTDOWN)
  t.strictSame(closes, peers.map(() => ({ code: 1001, reason: 'server shutting down', cause: 'shutdown' })))
})

test('closing the HTTP server itself closes the clients of every registration with 1001', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket)
  await app.register(timeSocket, { url: '/more', namespace: 'more' })
  const port = await listen(app)
  const peers = await Promise.all(['/time', '/more'].map((path) =>
    connect(`ws://127.0.0.1:${port}${path}`)))
  await within(new Promise((resolve) => app.server.close(resolve)), 'the end of the server')
  for (const peer of peers) t.strictSame(await peer.closed, SHUTDOWN)
})

for (const count of [3, 300]) {
  test(`${count} clients get 1001 even if their sockets are ended right after server.close`, async (t) => {
    const { app } = await createTimeApp(t, { immediate: false }, { logger: false })
    const port = await listen(app)
    const sockets = new Set<net.Socket>()
    app.server.on('connection', (socket) => sockets.add(socket))
    const peers = await connectMany(port, count)
    // As stoppable does.
    app.server.close()
    for (const socket of sockets) socket.end()
    for (const peer of peers) t.strictSame(await peer.closed, SHUTDOWN)
    await waitFor(() => app.timeSocket.stats().closed.shutdown === count, 'the count')
  })
}

test('clients get 1001 if their sockets are destroyed after timeSocket.close', async (t) => {
  const { app, timeSocket } = await createTimeApp(t)
  const port = await listen(app)
  const sockets = new Set<net.Socket>()
  app.server.on('connection', (socket) => sockets.add(socket))
  const peers = await connectMany(port, 3)
  // As http-terminator does. It leaves no time for a close frame.
  await timeSocket.close()
  for (const socket of sockets) socket.destroy()
  for (const peer of peers) t.strictSame(await peer.closed, SHUTDOWN)
})

test('app.close closes injected clients with 1001', async (t) => {
  simulateTimers(t)
  const { app } = await createTimeApp(t)
  const peer = await inject(app)
  await app.close()
  t.strictSame(await peer.closed, SHUTDOWN)
})

for (const [title, registerFirst] of [['the application', true], ['the plugin', false]] as const) {
  test(`clients get 1001 if ${title} has registered @fastify/websocket`, async (t) => {
    const { app } = createApp(t)
    if (registerFirst) await app.register(websocket)
    await app.register(timeSocket, { url: '/time' })
    app.get('/host', { websocket: true }, () => {})
    const port = await listen(app)
    const host = await connect(`ws://127.0.0.1:${port}/host`)
    const [peer] = await connectMany(port, 1)
    await app.close()
    t.strictSame(await peer?.closed, SHUTDOWN)
    t.strictSame(await host.closed, [1005, ''], 'the host\'s are the host\'s')
  })
}

const PLUGIN_TIMEOUT_MS = 5000
const fail = async () => { throw new Error('no database') }

for (const [title, hook, message] of [
  ['preClose hook throws', (app) => app.addHook('preClose', fail), 'no database'],
  ['onClose hook throws', (app) => app.addHook('onClose', fail), 'no database'],
  ['latest onClose hook throws', (app) => app.addHook('onReady', async () => {
    app.addHook('onClose', fail)
  }), 'no database'],
  ['preClose hook hangs', (app) => app.addHook('preClose', () => new Promise<void>(() => {})), /did not start in time/]
] satisfies [string, (app: FastifyInstance) => unknown, string | RegExp][]) {
  test(`clients get 1001 at once even if another plugin's ${title}`, async (t) => {
    const app = Fastify({ pluginTimeout: PLUGIN_TIMEOUT_MS })
    await app.register(timeSocket, { shutdown: { grace: 300 } })
    hook(app)
    const [peer] = await connectMany(await listen(app), 1)
    const closing = t.rejects(within(app.close(), 'closing'), { message })
    t.strictSame(await within(peer?.closed ?? fail(), 'the end', PLUGIN_TIMEOUT_MS - 500), SHUTDOWN)
    await closing
  })
}

test('a client that does not answer is terminated after the grace; the others close at once', async (t) => {
  const time = simulateTimers(t)
  const closes: CloseInfo[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    clock: time.clock, shutdown: { grace: 3000 }, onClose: (_client, info) => closes.push(info)
  })
  const port = await listen(app)
  const mutes = await Promise.all([connectMute(port), connectMute(port)])
  const [good] = await connectMany(port, 1)
  const closing = app.close()
  t.strictSame(await good?.closed, SHUTDOWN)
  await waitFor(() => timeSocket.clients.size === 2, 'the good one\'s leaving')
  time.advance(2999)
  await nextTurn()
  t.equal(timeSocket.clients.size, 2)
  time.advance(1)
  await closing
  t.strictSame(closes.map(({ code, cause }) => [code, cause]), [[1001, 'shutdown'], [1001, 'shutdown'], [1001, 'shutdown']])
  for (const socket of mutes) await waitFor(() => socket.destroyed, 'the end of a mute one')
})

test('close frames with 1001 are spread; until its own, a client still gets ticks and messages', async (t) => {
  const time = simulateTimers(t)
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 20,
    immediate: false,
    clock: time.clock,
    format: ({ seq }) => `tick ${seq}`,
    onMessage: (client, data) => client.send(`got ${data}`),
    shutdown: { spread: 600 }
  })
  const port = await listen(app)
  const peers = await connectMany(port, 3)
  const [first, second, third] = peers as [Peer, Peer, Peer]
  const closing = app.close()
  t.strictSame(await first.closed, SHUTDOWN)
  t.equal(timeSocket.broadcast('news'), 2)
  t.equal((await refused(`ws://127.0.0.1:${port}/time`)).status, 503)
  third.ws.send('hi')
  await waitFor(() => third.messages.includes('got hi'), 'the answer')
  time.advance(199)
  t.equal(timeSocket.broadcast('more'), 2)
  time.advance(1)
  t.strictSame(await second.closed, SHUTDOWN)
  t.equal(timeSocket.broadcast('most'), 1)
  time.advance(200)
  t.strictSame(await third.closed, SHUTDOWN)
  t.equal(timeSocket.broadcast('last'), 0)
  await closing

  const isTick = (message: string | Buffer) => /^tick/.test(String(message))
  const told = peers.map(({ messages }) => messages.filter((message) => !isTick(message)).sort())
  t.strictSame(told, [[], ['more', 'news'], ['got hi', 'more', 'most', 'news']])
  const ticks = peers.map(({ messages }) => messages.filter(isTick).length)
  t.strictSame(ticks, [0, 9, 19])
})

test('a client that does not answer is terminated one grace after its own 1001', async (t) => {
  const time = simulateTimers(t)
  const { app } = await createTimeApp(t, {
    clock: time.clock, immediate: false, shutdown: { grace: 400, spread: 600 }
  })
  const port = await listen(app)
  const mutes = [await connectMute(port), await connectMute(port)]
  const begun = once(mutes[0] as net.Socket, 'data')
  const closing = app.close()
  await within(begun, 'the first 1001')
  time.advance(399)
  await nextTurn()
  t.strictSame(mutes.map(({ destroyed }) => destroyed), [false, false])
  time.advance(1)
  await waitFor(() => mutes[0]?.destroyed === true, 'the end of the first')
  time.advance(299)
  await nextTurn()
  t.equal(mutes[1]?.destroyed, false)
  time.advance(1)
  await closing
})

test('app.close after or during timeSocket.close waits for the same shutdown', async (t) => {
  for (const isAwaited of [true, false]) {
    const time = simulateTimers(t)
    const closes: CloseInfo[] = []
    const { app, timeSocket } = await createTimeApp(t, {
      clock: time.clock, shutdown: { grace: 300 }, onClose: (_client, info) => closes.push(info)
    })
    const port = await listen(app)
    const mute = await connectMute(port)
    const [peer] = await connectMany(port, 1)
    const closed = timeSocket.close()
    const closing = isAwaited ? closed.then(() => app.close()) : app.close()
    t.strictSame(await peer?.closed, SHUTDOWN)
    time.advance(300)
    await closing
    await waitFor(() => mute.destroyed, 'the end of the mute one')
    t.strictSame(closes.map(({ cause }) => cause), ['shutdown', 'shutdown'])
  }
})

test('a client that never reads does not hold up the shutdown', async (t) => {
  const time = simulateTimers(t)
  const { app, timeSocket } = await createTimeApp(t, {
    clock: time.clock, maxBufferedBytes: 2 ** 30, shutdown: { grace: 200 }
  })
  const socket = await connectMute(await listen(app))
  socket.pause()
  for (let count = 0; count < 20; count++) timeSocket.broadcast(Buffer.alloc(1024 * 1024))
  const closing = app.close()
  t.equal(timeSocket.clients.size, 1)
  const tookMs = await passUntil(closing, time)
  t.ok(tookMs >= 200, `${tookMs} ms`)
})

test('a client whose onConnect never settles does not hold up the shutdown', async (t) => {
  const time = simulateTimers(t)
  const { app } = await createTimeApp(t, {
    clock: time.clock, shutdown: { grace: 300 }, onConnect: () => new Promise(() => {})
  })
  const [peer] = await connectMany(await listen(app), 1)
  const closing = app.close()
  t.strictSame(await peer?.closed, SHUTDOWN)
  await passUntil(closing, time)
})

test('app.close waits for pending onClose calls, but no longer than the grace', async (t) => {
  for (const endsInTime of [true, false]) {
    const time = simulateTimers(t)
    let end = (): void => {}
    const { app } = await createTimeApp(t, {
      clock: time.clock,
      shutdown: { grace: 3000 },
      onClose: () => new Promise<void>((resolve) => { end = resolve })
    })
    const [peer] = await connectMany(await listen(app), 1)
    let isClosed = false
    const closing = app.close().then(() => { isClosed = true })
    await peer?.closed
    await waitFor(() => app.timeSocket.clients.size === 0, 'leaving')
    time.advance(2999)
    await nextTurn()
    t.equal(isClosed, false)
    if (endsInTime) end()
    else time.advance(1)
    await closing
  }
})

test('app.close waits for onClose even if onConnect has not settled', async (t) => {
  let isTold = false
  const { app } = await createTimeApp(t, {
    onConnect: () => new Promise<void>((resolve) => setTimeout(resolve, 150)),
    onClose: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      isTold = true
    }
  })
  await connectMany(await listen(app), 1)
  await app.close()
  t.equal(isTold, true)
})

test('a client that another plugin delayed until after the shutdown is closed with 1001', async (t) => {
  const { app } = createApp(t)
  let isKept = false
  let goOn = (): void => {}
  app.addHook('onRoute', (route) => {
    route.preHandler = [route.preHandler ?? []].flat().concat(() => new Promise<void>((resolve) => {
      isKept = true
      goOn = resolve
    }))
  })
  await app.register(timeSocket, { immediate: false, shutdown: { grace: 200 } })
  const opening = connect(`ws://127.0.0.1:${await listen(app)}/time`)
  await waitFor(() => isKept, 'the hook')
  await app.timeSocket.close()
  goOn()
  t.strictSame(await (await opening).closed, SHUTDOWN)
  await waitFor(() => app.timeSocket.clients.size === 0, 'leaving')
})

test('a client that connects during the shutdown is terminated when the shutdown\'s grace ends', async (t) => {
  const time = simulateTimers(t)
  const { app } = createApp(t)
  const goOn: (() => void)[] = []
  app.addHook('onRoute', (route) => {
    const keep = () => new Promise<void>((resolve) => { goOn.push(resolve) })
    route.preHandler = [route.preHandler ?? []].flat().concat(keep)
  })
  const { clock } = time
  await app.register(timeSocket, { clock, immediate: false, shutdown: { grace: 4000 } })
  const port = await listen(app)
  const staying = connectMute(port)
  await waitFor(() => goOn.length === 1, 'the first in the hook')
  goOn[0]?.()
  const begun = once(await staying, 'data')
  const opening = connectMute(port)
  await waitFor(() => goOn.length === 2, 'the second in the hook')
  const closing = app.close()
  await within(begun, 'the first 1001')
  time.advance(3500)
  goOn[1]?.()
  await opening
  time.advance(500)
  await closing
})

test('timeSocket.close closes all clients once, and the application keeps running', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket, { interval: 20 })
  app.get('/other', () => 'here')
  const port = await listen(app)
  const [peer] = await connectMany(port, 1)
  const closed = app.timeSocket.close()
  t.equal(app.timeSocket.close(), closed)
  await closed
  t.strictSame(await peer?.closed, SHUTDOWN)
  t.equal(app.timeSocket.clients.size, 0)
  t.equal((await app.inject('/other')).body, 'here')
  await app.close()
})

test('after timeSocket.close, upgrades and plain HTTP are refused with 503', async (t) => {
  const { app, timeSocket, log } = await createTimeApp(t)
  const port = await listen(app)
  await timeSocket.close()
  const { status, headers, body } = await refused(`ws://127.0.0.1:${port}/time`)
  t.strictSame([status, headers.connection, JSON.parse(body)], [503, 'close', {
    statusCode: 503,
    code: 'FST_TIME_SOCKET_UNAVAILABLE',
    error: 'Service Unavailable',
    message: 'the time socket is shutting down'
  }])
  for (const method of ['GET', 'HEAD'] as const) {
    t.equal((await app.inject({ method, url: '/time' })).statusCode, 503)
  }
  t.strictSame([...log.messages('warn'), ...log.messages('error')], [])
})

test('an upgrade whose hook is pending when the shutdown begins is refused with 503', async (t) => {
  let arrived = false
  let goOn = (): void => {}
  const { app, timeSocket } = await createTimeApp(t, {
    preValidation: () => new Promise<void>((resolve) => {
      arrived = true
      goOn = resolve
    })
  })
  const port = await listen(app)
  const refusal = refused(`ws://127.0.0.1:${port}/time`)
  await waitFor(() => arrived, 'the hook')
  await timeSocket.close()
  goOn()
  t.equal((await refusal).status, 503)
})

test('a client that the application is already closing keeps its code and reason', async (t) => {
  const closes: CloseInfo[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    onClose: (_client, info) => closes.push(info)
  })
  const [peer] = await connectMany(await listen(app), 1)
  for (const client of timeSocket.clients.values()) client.close(4000, 'go')
  await app.close()
  t.strictSame(await peer?.closed, [4000, 'go'])
  t.strictSame(closes, [{ code: 4000, reason: 'go', cause: 'application' }])
})

test('app.close closes the clients of time sockets in sibling scopes', async (t) => {
  simulateTimers(t)
  const { app } = createApp(t)
  for (const prefix of ['/one', '/two']) {
    app.register(async (scope) => { await scope.register(timeSocket) }, { prefix })
  }
  const port = await listen(app)
  const peers = await Promise.all(['/one/time', '/two/time']
    .map((path) => connect(`ws://127.0.0.1:${port}${path}`)))
  await app.close()
  for (const peer of peers) t.strictSame(await peer.closed, SHUTDOWN)
})

test('two time sockets shut down together', async (t) => {
  const time = simulateTimers(t)
  const { app } = createApp(t)
  const options = { clock: time.clock, shutdown: { grace: 4000 } }
  await app.register(timeSocket, { ...options, url: '/one' })
  await app.register(timeSocket, { ...options, url: '/two', namespace: 'two' })
  const port = await listen(app)
  const peers = [await connect(`ws://127.0.0.1:${port}/one`), await connect(`ws://127.0.0.1:${port}/two`)]
  for (const { ws } of peers) ws.pause()
  const tookMs = await passUntil(app.close(), time)
  t.ok(tookMs >= 4000 && tookMs < 8000, `${tookMs} ms`)
})

test('a backlog of broadcasts does not delay the shutdown', async (t) => {
  const graceMs = 8000
  const { app, timeSocket } = await createTimeApp(t, { shutdown: { grace: graceMs } })
  const peers = await connectMany(await listen(app), 100)
  for (let count = 0; count < 2000; count++) timeSocket.broadcast('news')
  const startMs = performance.now()
  await app.close()
  t.ok(performance.now() - startMs < graceMs)
  for (const peer of peers) t.strictSame(await peer.closed, SHUTDOWN)
})
