import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../src/index.js'
import type { TimeSocket } from '../src/index.js'
import { createApp, createTimeApp, listen } from './helpers/app.js'
import { connect } from './helpers/peer.js'
import { waitFor } from './helpers/wait.js'

test('bounds what ws assembles to 1 MiB, unless the host says otherwise', async (t) => {
  const { app } = await createTimeApp(t)
  t.equal(app.websocketServer.options.maxPayload, 1024 * 1024)
  const { app: other } = await createTimeApp(t, { websocket: { options: { maxPayload: 100 } } })
  t.equal(other.websocketServer.options.maxPayload, 100)
})

test('leaves a @fastify/websocket that the host registered as it is, with the host\'s routes', async (t) => {
  const { app } = createApp(t)
  await app.register(websocket, { options: { maxPayload: 77 } })
  app.get('/echo', { websocket: true }, (socket) => {
    socket.on('message', (data) => socket.send(`echo ${String(data)}`))
  })
  await app.register(timeSocket, { format: 'epoch' })
  app.get('/late', { websocket: true }, (socket) => socket.send('late'))
  const port = await listen(app)
  t.equal(app.websocketServer.options.maxPayload, 77)

  const [time, echo, late] = await Promise.all(
    ['time', 'echo', 'late'].map((path) => connect(`ws://127.0.0.1:${port}/${path}`)))
  echo?.ws.send('hi')
  t.match(await time?.received(1), [/^\d{13}$/])
  t.strictSame(await echo?.received(1), ['echo hi'])
  t.strictSame(await late?.received(1), ['late'])
  t.equal(app.websocketServer.clients.size, 2, 'the host\'s own')
})

test('the host\'s WebSocket routes may also be declared after ours brought @fastify/websocket', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket)
  app.get('/echo', { websocket: true }, (socket) => socket.send('host'))
  const port = await listen(app)
  const peer = await connect(`ws://127.0.0.1:${port}/echo`)
  t.strictSame(await peer.received(1), ['host'])
})

test('sibling scopes each have their own, and an upgrade is handled once, without a warning', async (t) => {
  const { app, log } = createApp(t)
  const found: TimeSocket[] = []
  for (const prefix of ['/one', '/two']) {
    app.register(async (scope) => {
      await scope.register(timeSocket, { format: () => prefix })
      found.push(scope.timeSocket)
      scope.get('/host', { websocket: true }, (socket) => socket.send(`host ${prefix}`))
    }, { prefix })
  }
  const port = await listen(app)
  for (const [path, message] of [
    ['/one/time', '/one'], ['/two/time', '/two'], ['/one/host', 'host /one'], ['/two/host', 'host /two']
  ]) {
    const peer = await connect(`ws://127.0.0.1:${port}${path}`)
    t.strictSame(await peer.received(1), [message])
  }
  t.strictSame(found.map(({ clients }) => clients.size), [1, 1])
  t.strictSame(log.messages('warn'), [])
})

for (const clientTracking of [true, false]) {
  test(`a host that follows all connections hears our own close, with clientTracking ${clientTracking}`, async (t) => {
    const { app } = createApp(t)
    await app.register(websocket, { options: { clientTracking } })
    const closed: number[] = []
    app.websocketServer.on('connection', (ws) => ws.on('close', (code) => closed.push(code)))
    await app.register(timeSocket)
    const port = await listen(app)
    const { ws } = await connect(`ws://127.0.0.1:${port}/time`)
    ws.close(4000)
    await waitFor(() => closed.length > 0, 'closing')
    t.strictSame(closed, [4000])
  })
}
