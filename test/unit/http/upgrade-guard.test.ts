import { once } from 'node:events'
import net from 'node:net'
import { WebSocketServer } from 'ws'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createApp, listen, TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { exchange, upgradeRequest as upgrade } from '../../helpers/network/raw.js'
import { SOON_MS, waitFor, within } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createApp>[0]

/** An application whose routes and hooks do what they can to leave an upgrade unanswered. */
async function setUp (t: Test, options: TimeSocketOptions = {}) {
  const { app } = createApp(t, { logger: false })
  app.addHook('onRequest', async ({ url }, reply) => {
    if (url === '/busy') return reply.code(503).send('busy')
    if (url === '/hanging') await new Promise(() => {})
  })
  app.get('/plain', () => 'plain')
  app.get('/large', () => 'x'.repeat(50_000_000))
  await app.register(timeSocket, {
    handshakeTimeout: 200,
    preValidation: ({ query }) => (query as { hang?: string }).hang === undefined
      ? Promise.resolve()
      : new Promise<void>(() => {}),
    ...options
  })
  const port = await listen(app)
  const connectionCount = () => new Promise<number>((resolve, reject) => {
    app.server.getConnections((err, count) => err === null ? resolve(count) : reject(err))
  })
  return { app, port, connectionCount }
}

const TIMEOUT = /^HTTP\/1\.1 503 [^]*"code":"FST_TIME_SOCKET_HANDSHAKE_TIMEOUT"/

const upgrades: [title: string, bytes: string, answer: RegExp][] = [
  ['with a malformed path', upgrade('/%zz'), /^HTTP\/1\.1 400 /],
  ['with an over-long parameter', upgrade('/' + 'x'.repeat(5000)), /^HTTP\/1\.1 4/],
  ['to nowhere', upgrade('/nowhere'), /^HTTP\/1\.1 404 /],
  ['to a plain route', upgrade('/plain'), /^HTTP\/1\.1 200 [^]*plain$/],
  ['that an earlier hook answers', upgrade('/busy'), /^HTTP\/1\.1 503 [^]*busy$/],
  ['whose earlier hook hangs', upgrade('/hanging'), TIMEOUT],
  ['whose hook of the time socket hangs', upgrade('/time?hang=1'), TIMEOUT],
  ['by POST with a body', upgrade('/time', { method: 'POST', headers: ['Content-Length: 2'] }) + 'hi', /^HTTP\/1\.1 404 /],
  ['without a key', upgrade('/time').replace(/Sec-WebSocket-Key.*\r\n/, ''), /^HTTP\/1\.1 400 /],
  ['of another version', upgrade('/time').replace('Version: 13', 'Version: 7'), /^HTTP\/1\.1 400 /],
  ['that offers a subprotocol', upgrade('/time', { headers: ['Sec-WebSocket-Protocol: x'] }), /^HTTP\/1\.1 400 /]
]

for (const [title, bytes, answer] of upgrades) {
  test(`an upgrade ${title} ends with its answer`, async (t) => {
    const { app, port, connectionCount } = await setUp(t)
    const received = await exchange(port, bytes)
    t.match(received, answer)
    t.equal(await connectionCount(), 0)
    await within(app.close(), 'closing', SOON_MS)
  })
}

test('app.close does not wait for upgrades that hang, whatever their clients do', async (t) => {
  const { app, port, connectionCount } = await setUp(t, { handshakeTimeout: 60_000 })
  const answers = ['/hanging', '/time?hang=1', '/time?hang=2'].map((path) => exchange(port, upgrade(path)))
  const leaving = net.connect(port, '127.0.0.1', () => { leaving.write(upgrade('/time?hang=3')) })
  const ending = net.connect(port, '127.0.0.1', () => { ending.end(upgrade('/time?hang=4')) })
  await waitFor(async () => await connectionCount() === 5, 'five connections')
  ending.on('error', () => {}) // closed before its request was read
  leaving.resetAndDestroy()
  await within(app.close(), 'closing', SOON_MS)
  for (const answer of await Promise.all(answers)) {
    t.match(answer, /^HTTP\/1\.1 503 [^]*"code":"FST_TIME_SOCKET_UNAVAILABLE"/)
  }
})

for (const [title, handshakeTimeout, end] of [
  ['the timeout', 200, async () => {}],
  ['app.close', 60_000, (app: { close: () => Promise<undefined> }) => within(app.close(), 'closing', SOON_MS)]
] as const) {
  test(`${title} ends an upgrade whose client does not read the answer`, async (t) => {
    const { app, port, connectionCount } = await setUp(t, { handshakeTimeout })
    const socket = net.connect(port, '127.0.0.1', () => { socket.write(upgrade('/large')) })
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'readable')
    await end(app)
    await t.resolves(waitFor(async () => await connectionCount() === 0, 'its end'))
  })
}

for (const isEarly of [true, false]) {
  const when = `${isEarly ? 'before' : 'after'} @fastify/websocket has stopped listening`
  test(`an upgrade that comes while the application closes, ${when}, is refused`, async (t) => {
    const { app } = createApp(t, { logger: false })
    let goOn = (): void => {}
    let isClosing = false
    const holdUp = () => new Promise<void>((resolve) => {
      isClosing = true
      goOn = resolve
    })
    if (isEarly) app.addHook('preClose', holdUp)
    await app.register(timeSocket)
    if (!isEarly) app.addHook('preClose', holdUp)
    const port = await listen(app)
    const closed = app.close()
    await waitFor(() => isClosing, 'the preClose hook')
    const answer = await exchange(port, upgrade('/time'))
    goOn()
    t.match(answer, /^HTTP\/1\.1 503 /)
    t.notMatch(answer, '(still open)')
    await within(closed, 'closing', SOON_MS)
  })
}

test('does not end WebSockets of other plugins, even after the timeout', async (t) => {
  const { app } = createApp(t, { logger: false })
  const other = new WebSocketServer({ noServer: true })
  app.server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/other') return
    other.handleUpgrade(request, socket, head, (ws) => {
      ws.on('message', (data) => ws.send(data))
    })
  })
  await app.register(timeSocket, {
    handshakeTimeout: 100, interval: TICKLESS_INTERVAL_MS, immediate: false
  })
  app.get('/host', { websocket: true }, (ws) => { ws.on('message', (data) => ws.send(data)) })
  const port = await listen(app)
  const open = (path: string) => connect(`ws://127.0.0.1:${port}${path}`)
  const [timePeer, ...otherPeers] = [await open('/time'), await open('/host'), await open('/other')]
  t.teardown(() => otherPeers.forEach(({ ws }) => ws.terminate()))
  await new Promise((resolve) => setTimeout(resolve, 300))
  for (const peer of otherPeers) {
    peer.ws.send('still here')
    t.match(await peer.received(1), [Buffer.from('still here')])
  }
  app.timeSocket.broadcast('news')
  t.strictSame(await timePeer.received(1), ['news'])
})

test('with two registrations, the longer timeout applies', async (t) => {
  const { app } = createApp(t, { logger: false })
  const hanging = () => new Promise<void>(() => {})
  await app.register(timeSocket, { handshakeTimeout: 100, preValidation: hanging })
  await app.register(timeSocket, { url: '/two', namespace: 'two', handshakeTimeout: 400 })
  const port = await listen(app)
  const startMs = performance.now()
  t.match(await exchange(port, upgrade('/time')), TIMEOUT)
  const tookMs = performance.now() - startMs
  t.ok(tookMs >= 390, `${tookMs} ms`)
})
