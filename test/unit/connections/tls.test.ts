import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import { writePing } from '../../../src/connections/client-connection.js'
import type { ClientConnection } from '../../../src/connections/client-connection.js'
import timeSocket from '../../../src/index.js'
import type { TickDelivery, TimeSocketOptions } from '../../../src/index.js'
import { encodePing } from '../../../src/protocol/frame.js'
import { listen, TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { https } from '../../helpers/network/tls.js'
import { waitFor } from '../../helpers/network/wait.js'

interface Test {
  teardown (end: () => unknown): unknown
}

async function setUp (t: Test, options: TimeSocketOptions, serverOptions: object = {}) {
  const app = Fastify({ https, ...serverOptions }) as unknown as FastifyInstance
  t.teardown(() => app.close())
  await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS, ...options })
  const port = await listen(app)
  return { app, open: () => connect(`wss://127.0.0.1:${port}/time`, { ca: https.cert }) }
}

for (const [title, serverOptions] of [
  ['HTTP/1.1', {}], ['HTTP/2 and HTTP/1.1', { http2: true, https: { ...https, allowHTTP1: true } }]
] as const) {
  test(`ticks, answers and closing handshakes work over TLS, on a server of ${title}`, async (t) => {
    const { app, open } = await setUp(t, {
      interval: 50, immediate: false, onMessage: (client, data) => client.send(`got ${data}`)
    }, serverOptions)
    const peers = await Promise.all(Array.from({ length: 10 }, open))
    for (const peer of peers) peer.ws.send('hi')
    for (const peer of peers) {
      const isTime = (message: unknown) => /^\d{4}-.*Z$/.test(String(message))
      await waitFor(() => peer.messages.includes('got hi'), 'the answer')
      await waitFor(() => peer.messages.some(isTime), 'a tick')
    }
    await app.close()
    for (const peer of peers) t.strictSame(await peer.closed, [1001, 'server shutting down'])
  })
}

test('over TLS, messages of one turn keep their order, and no tick is skipped because of them', async (t) => {
  const deliveries: TickDelivery[] = []
  const { app, open } = await setUp(t, {
    interval: 20,
    immediate: false,
    format: ({ seq }) => `tick ${seq}`,
    onTick ({ seq }, delivery) {
      deliveries.push(delivery)
      app.timeSocket.broadcast(`news ${seq}`)
      for (const client of app.timeSocket.clients.values()) client.send(`you ${seq}`)
    }
  })
  const peers = await Promise.all(Array.from({ length: 5 }, open))
  await Promise.all(peers.map((peer) => peer.received(60)))
  t.ok(deliveries.every(({ skipped }) => skipped === 0))
  for (const { messages } of peers) {
    const first = Number(/\d+$/.exec(String(messages[0]))?.[0])
    const expected = Array.from({ length: 20 }, (_, index) => first + index)
      .flatMap((seq) => [`tick ${seq}`, `news ${seq}`, `you ${seq}`])
    t.strictSame(messages.slice(0, 60), expected)
  }
})

test('over TLS, the 101 makes no new client slow', async (t) => {
  const { app, open } = await setUp(t, {
    maxBufferedBytes: 0, onConnect: (client) => { client.send('welcome') }
  })
  const peer = await open()
  await peer.received(2)
  t.equal(app.timeSocket.clients.size, 1)
})

test('over TLS, a ping or pong of the same turn makes no client slow', async (t) => {
  const { app, open } = await setUp(t, {
    immediate: false, maxBufferedBytes: 0, onMessage: (client) => client.send('answer')
  })
  const peer = await open()
  peer.ws.ping()
  peer.ws.send('after a ping')
  await peer.received(1)
  const [client] = app.timeSocket.clients.values()
  writePing(client as unknown as ClientConnection, encodePing(1))
  t.equal(client?.send('after a ping of the server'), true)
  await peer.received(2)
  t.equal(app.timeSocket.clients.size, 1)
})

for (const [title, serverOptions] of [
  ['HTTP/1.1', {}], ['HTTP/2 and HTTP/1.1', { http2: true, https: { ...https, allowHTTP1: true } }]
] as const) {
  test(`answers a request for h2c over TLS, on a server of ${title}`, async (t) => {
    const { app } = await setUp(t, {}, serverOptions)
    const { port } = app.server.address() as AddressInfo
    const socket = connectTls({ port, host: '127.0.0.1', ca: https.cert })
    socket.write('GET /time HTTP/1.1\r\nHost: localhost\r\n' +
      'Connection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n')
    t.match(await text(socket), /^HTTP\/1\.1 200 [^]*"interval":\d+/)
  })
}
