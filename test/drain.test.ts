import { once } from 'node:events'
import net from 'node:net'
import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../src/index.js'
import type { CloseInfo } from '../src/index.js'
import { createApp, createTimeApp, listen } from './helpers/app.js'
import { connect, inject, refused } from './helpers/peer.js'
import type { Peer } from './helpers/peer.js'
import { waitFor, within } from './helpers/wait.js'

const SHUTDOWN = [1001, 'server shutting down']

/** How long it takes, in milliseconds. */
async function timed (work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

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

test('app.close tells every client 1001 with the reason, and waits for no one who answers', async (t) => {
  const closes: CloseInfo[] = []
  const { app } = await createTimeApp(t, { onClose: (_client, info) => closes.push(info) })
  const peers = await connectMany(await listen(app), 50)
  t.ok(await timed(() => app.close()) < 900)
  for (const peer of peers) t.strictSame(await peer.closed, SHUTDOWN)
  t.strictSame(closes, peers.map(() => ({ code: 1001, reason: 'server shutting down', cause: 'shutdown' })))
})

test('injected clients get it too', async (t) => {
  const { app } = await createTimeApp(t)
  const peer = await inject(app)
  t.ok(await timed(() => app.close()) < 900)
  t.strictSame(await peer.closed, SHUTDOWN)
})

for (const [title, registerFirst] of [['the host', true], ['the plugin', false]] as const) {
  test(`clients get 1001 where ${title} registered @fastify/websocket`, async (t) => {
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

test('clients get 1001 though another plugin\'s preClose hook throws', async (t) => {
  const { app } = createApp(t)
  app.addHook('preClose', async () => { throw new Error('no database') })
  await app.register(timeSocket)
  const [peer] = await connectMany(await listen(app), 1)
  await t.rejects(within(app.close(), 'closing'), { message: 'no database' })
  t.strictSame(await peer?.closed, SHUTDOWN)
})

test('who does not answer is terminated after the grace; the others do not wait for it', async (t) => {
  const closes: CloseInfo[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    drain: { grace: 300 }, onClose: (_client, info) => closes.push(info)
  })
  const port = await listen(app)
  const mutes = await Promise.all([connectMute(port), connectMute(port)])
  const [good] = await connectMany(port, 1)
  const tookMs = timed(() => app.close())
  await waitFor(() => timeSocket.clients.size === 2, 'the good one\'s leaving', 250)
  t.strictSame(await good?.closed, SHUTDOWN)
  t.ok(await tookMs >= 290 && await tookMs < 800, `${await tookMs} ms`)
  t.strictSame(closes.map(({ code, cause }) => [code, cause]), [[1001, 'shutdown'], [1001, 'shutdown'], [1001, 'shutdown']])
  for (const socket of mutes) await waitFor(() => socket.destroyed, 'the end of a mute one')
})

test('a grace of 0 terminates at once', async (t) => {
  const { app } = await createTimeApp(t, { drain: { grace: 0 } })
  await connectMute(await listen(app))
  t.ok(await timed(() => app.close()) < 500)
})

test('a client that never reads does not hold up the shutdown', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, { drain: { grace: 200 } })
  const socket = await connectMute(await listen(app))
  socket.pause()
  for (let count = 0; count < 20; count++) timeSocket.broadcast(Buffer.alloc(1024 * 1024))
  t.ok(await timed(() => app.close()) < 700)
})

test('a client whose onConnect never settles does not hold up the shutdown', async (t) => {
  const { app } = await createTimeApp(t, {
    drain: { grace: 300 }, onConnect: () => new Promise(() => {})
  })
  const [peer] = await connectMany(await listen(app), 1)
  t.ok(await timed(() => app.close()) < 800)
  t.strictSame(await peer?.closed, SHUTDOWN)
})

test('app.close waits for what onClose still has to do, but no longer than the grace', async (t) => {
  for (const [workMs, leastMs, mostMs] of [[200, 190, 450], [60_000, 490, 900]] as const) {
    const { app } = await createTimeApp(t, {
      drain: { grace: 500 },
      onClose: () => new Promise<void>((resolve) => setTimeout(resolve, workMs).unref())
    })
    await connectMany(await listen(app), 3)
    const tookMs = await timed(() => app.close())
    t.ok(tookMs >= leastMs && tookMs < mostMs, `${tookMs} ms`)
  }
})

test('app.close waits for onClose also where onConnect has still to settle', async (t) => {
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

test('a client whom another plugin kept until after the drain is sent home all the same', async (t) => {
  const { app } = createApp(t)
  let isKept = false
  let goOn = (): void => {}
  app.addHook('onRoute', (route) => {
    route.preHandler = [route.preHandler ?? []].flat().concat(() => new Promise<void>((resolve) => {
      isKept = true
      goOn = resolve
    }))
  })
  await app.register(timeSocket, { immediate: false, drain: { grace: 200 } })
  const opening = connect(`ws://127.0.0.1:${await listen(app)}/time`)
  await waitFor(() => isKept, 'the hook')
  await app.timeSocket.close()
  goOn()
  t.strictSame(await (await opening).closed, SHUTDOWN)
  await waitFor(() => app.timeSocket.clients.size === 0, 'leaving')
})

test('timeSocket.close drains once, and the application goes on', async (t) => {
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

test('once closing, upgrades and plain HTTP are refused with 503', async (t) => {
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

test('an upgrade that was still on its way when closing began is refused', async (t) => {
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

test('a client that was leaving anyway keeps its own end', async (t) => {
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

test('two time sockets drain together', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket, { url: '/one', drain: { grace: 400 } })
  await app.register(timeSocket, { url: '/two', namespace: 'two', drain: { grace: 400 } })
  const port = await listen(app)
  const peers = [await connect(`ws://127.0.0.1:${port}/one`), await connect(`ws://127.0.0.1:${port}/two`)]
  for (const { ws } of peers) ws.pause()
  const tookMs = timed(() => app.close())
  t.ok(await tookMs < 750, `${await tookMs} ms`)
})
