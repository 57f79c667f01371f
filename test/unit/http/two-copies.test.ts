import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocket } from '../../../src/index.js'
import { createApp, listen, TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import { connect, refused } from '../../helpers/network/peer.js'
import { exchange, upgradeRequest } from '../../helpers/network/raw.js'
import { waitFor } from '../../helpers/network/wait.js'
import { loadSecondCopy, loadSecondWebsocket } from '../../helpers/programs/second-copy.js'

// Two versions of one package in node_modules.

function countUpgrades (app: FastifyInstance): () => number {
  let count = 0
  app.addHook('onRequest', (_request, _reply, done) => {
    count++
    done()
  })
  return () => count
}

test('two copies of this package on one server dispatch each upgrade once, and close with 1001', async (t) => {
  const { app, log } = createApp(t)
  const upgradeCount = countUpgrades(app)
  await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
  const { default: copy } = await loadSecondCopy(t)
  t.not(copy, timeSocket)
  await app.register(copy, {
    url: '/other', namespace: 'other', serveClient: false, interval: TICKLESS_INTERVAL_MS
  })
  const { other } = app.timeSocket as unknown as { other: TimeSocket }
  const port = await listen(app)
  const peers = await Promise.all(['/time', '/other'].map((path) =>
    connect(`ws://127.0.0.1:${port}${path}`)))
  for (const peer of peers) t.equal((await peer.received(1)).length, 1)
  t.equal(upgradeCount(), 2)
  t.strictSame([app.timeSocket.clients.size, other.clients.size], [1, 1])
  t.strictSame(log.messages('warn'), [])
  app.server.close()
  for (const peer of peers) t.strictSame(await peer.closed, [1001, 'server shutting down'])
})

test('an upgrade that the routes of neither copy want is left to others', async (t) => {
  const { app } = createApp(t)
  const { default: copy } = await loadSecondCopy(t)
  await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
  await app.register(async (scope) => {
    await scope.register(copy, { namespace: 'other', serveClient: false })
    scope.get('/plain', () => 'plain')
  }, { prefix: '/scope' })
  app.server.on('upgrade', ({ url }, socket) => {
    if (url !== '/time') socket.end('HTTP/1.1 101 other\r\n\r\n')
  })
  const port = await listen(app)
  for (const path of ['/nowhere', '/scope/plain', '/scope/nowhere']) {
    t.equal(await exchange(port, upgradeRequest(path)), 'HTTP/1.1 101 other\r\n\r\n', path)
  }
})

test('a time socket uses the copy of @fastify/websocket that the host has registered', async (t) => {
  const { app, log } = createApp(t)
  await app.register(await loadSecondWebsocket(t), { options: { maxPayload: 4096 } })
  const upgradeCount = countUpgrades(app)
  await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
  app.get('/host', { websocket: true }, (ws) => ws.send('host'))
  const port = await listen(app)
  const [time, host] = await Promise.all(['/time', '/host'].map((path) =>
    connect(`ws://127.0.0.1:${port}${path}`)))
  t.equal((await time?.received(1))?.length, 1)
  t.strictSame(await host?.received(1), ['host'])
  t.equal(upgradeCount(), 2)
  await waitFor(() => app.timeSocket.clients.size === 1, 'the client')
  t.strictSame(log.messages('warn'), [])
  host?.ws.terminate()
})

const WARNING = 'two copies of @fastify/websocket are loaded'

test('routes of a second copy of @fastify/websocket in another scope get their upgrades', async (t) => {
  const { app, log } = createApp(t)
  const copy = await loadSecondWebsocket(t)
  await app.register(async (scope) => {
    await scope.register(copy)
    scope.get('/host', { websocket: true }, (ws) => ws.send('host'))
  })
  await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
  app.get('/more', { websocket: true }, (ws) => ws.send('more'))
  const port = await listen(app)
  t.ok(log.messages('warn').some((message) => message.startsWith(WARNING)), 'the warning')
  for (let i = 0; i < 2; i++) {
    for (const [path, message] of [['/host', 'host'], ['/more', 'more'], ['/time', /Z$/]]) {
      const { ws, received } = await connect(`ws://127.0.0.1:${port}${path}`)
      t.match(await received(1), [message])
      ws.terminate()
    }
  }
})

test('a second copy of @fastify/websocket around the scope of this plugin leaves it its upgrades', async (t) => {
  const { app, log } = createApp(t)
  const copy = await loadSecondWebsocket(t)
  await app.register(async (scope) => {
    await scope.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
  })
  await app.register(copy)
  app.get('/host', { websocket: true }, () => {})
  const port = await listen(app)
  t.ok(log.messages('warn').some((message) => message.startsWith(WARNING)), 'the warning')
  for (let i = 0; i < 2; i++) {
    const { ws, received } = await connect(`ws://127.0.0.1:${port}/time`)
    t.equal((await received(1)).length, 1)
    ws.terminate()
  }
  t.equal((await refused(`ws://127.0.0.1:${port}/host`)).status, 404, 'as the warning says')
})
