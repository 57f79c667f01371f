import { once } from 'node:events'
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createApp, listen, TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { exchange, openRaw, request, upgradeRequest } from '../../helpers/network/raw.js'
import { waitFor, within } from '../../helpers/network/wait.js'

// Other listeners of `upgrade` on the same HTTP server, and requests for other protocols.

type Register = (app: FastifyInstance, options: TimeSocketOptions) => Promise<unknown>

const arrangements: [title: string, register: Register][] = [
  ['alone', async (app, options) => await app.register(timeSocket, options)],
  ['after one in a sibling scope', async (app, options) => {
    await app.register(async (scope) => { await scope.register(websocket) })
    await app.register(timeSocket, options)
  }],
  ['after one in the same scope', async (app, options) => {
    await app.register(websocket)
    await app.register(timeSocket, options)
  }],
  ['in a child scope, before one at the root', async (app, options) => {
    await app.register(async (scope) => { await scope.register(timeSocket, options) })
    await app.register(websocket)
  }]
]

for (const [title, register] of arrangements) {
  for (const kind of ['synchronous', 'asynchronous'] as const) {
    test(`each upgrade is dispatched once: registered ${title}, with ${kind} hooks`, async (t) => {
      const { app, log } = createApp(t)
      let dispatchCount = 0
      const preValidation: TimeSocketOptions['preValidation'] = kind === 'synchronous'
        ? (_request, _reply, done) => { done() }
        : async () => {}
      app.addHook('onRequest', (_request, _reply, done) => {
        dispatchCount++
        done()
      })
      const options = {
        maxClientsPerIp: 3, maxClients: 3, interval: TICKLESS_INTERVAL_MS, preValidation
      }
      await register(app, options)
      const port = await listen(app)
      for (let i = 0; i < 10; i++) {
        const { ws, closed, received } = await connect(`ws://127.0.0.1:${port}/time`)
        await received(1)
        ws.close()
        t.strictSame(await closed, [1005, ''])
      }
      t.equal(dispatchCount, 10)
      t.notOk(log.messages('warn').includes('websocket upgrade failed'))
    })
  }
}

/** What an HTTP server of its own would offer beside Fastify. */
function listenBeside (app: FastifyInstance): WebSocketServer {
  const server = new WebSocketServer({ server: app.server })
  server.on('connection', (ws) => { ws.on('message', (data) => ws.send(`beside: ${data}`)) })
  return server
}

for (const order of ['before', 'after'] as const) {
  for (const kind of ['synchronous', 'asynchronous'] as const) {
    const title = `a WebSocket server of others, attached ${order} this plugin, with ${kind} hooks`
    test(`${title}, gets upgrades that Fastify has no route for`, async (t) => {
      const { app, log } = createApp(t)
      if (kind === 'asynchronous') app.addHook('onRequest', async () => {})
      const beside = order === 'before' ? listenBeside(app) : undefined
      await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
      app.get('/host', { websocket: true }, (ws) => { ws.on('message', () => ws.send('host')) })
      const besideToo = beside ?? listenBeside(app)
      const port = await listen(app)
      const peers = await Promise.all(['/elsewhere', '/host', '/time'].map((path) =>
        connect(`ws://127.0.0.1:${port}${path}`)))
      for (const { ws } of peers) ws.send('hello')
      t.strictSame(await peers[0]?.received(1), ['beside: hello'])
      t.strictSame(await peers[1]?.received(1), ['host'])
      t.equal((await peers[2]?.received(1))?.length, 1)
      t.strictSame(log.messages('error'), [])
      for (const { ws } of peers) ws.terminate()
      besideToo.close()
    })
  }
}

test('an upgrade without a route gets 404 if there is no other listener', async (t) => {
  const { app } = createApp(t)
  await app.register(async (scope) => { await scope.register(websocket) })
  await app.register(timeSocket)
  const port = await listen(app)
  for (let i = 0; i < 2; i++) {
    t.match(await exchange(port, upgradeRequest('/nowhere')), /^HTTP\/1\.1 404 /)
  }
})

test('an upgrade that another listener ignores ends after handshakeTimeout', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket, { handshakeTimeout: 100 })
  app.server.on('upgrade', () => {})
  const port = await listen(app)
  t.match(await exchange(port, upgradeRequest('/nowhere')), /^HTTP\/1\.1 503 /)
})

test('another upgrade listener that throws ends only that connection', async (t) => {
  const { app, log } = createApp(t)
  await app.register(timeSocket)
  app.server.on('upgrade', () => { throw new Error('broken listener') })
  const port = await listen(app)
  t.equal(await exchange(port, upgradeRequest('/nowhere')), '')
  t.equal(await exchange(port, upgradeRequest('/nowhere')), '')
  t.strictSame(log.messages('error'), ['another upgrade listener failed'])
  const { ws } = await connect(`ws://127.0.0.1:${port}/time`)
  ws.terminate()
})

/** Dispatches upgrades to Fastify a second time, as @fastify/http-proxy does. */
async function proxyUpgrades (app: FastifyInstance, path: string): Promise<void> {
  const kSocket = Symbol('socket')
  const server = new WebSocketServer({ noServer: true })
  const onUpgrade = (raw: IncomingMessage, socket: Duplex) => {
    if (raw.url !== path) return
    Object.assign(raw, { [kSocket]: socket })
    const response = new ServerResponse(raw)
    response.assignSocket(socket as Socket)
    app.routing(raw, response)
  }
  Object.assign(app.server, { [Symbol('wsUpgradeListener')]: onUpgrade })
  app.server.on('upgrade', onUpgrade)
  await app.register(async (scope) => {
    scope.get(path, (request, reply) => {
      const socket = (request.raw as unknown as { [kSocket]?: Duplex })[kSocket]
      if (socket === undefined) return reply.send('plain')
      reply.hijack()
      server.handleUpgrade(request.raw, socket, Buffer.alloc(0), (ws) => ws.send('proxied'))
      return reply
    })
  })
}

for (const [kind, order] of [
  ['synchronous', 'before'], ['synchronous', 'after'],
  ['asynchronous', 'before'], ['asynchronous', 'after']
] as const) {
  const title = `registered ${order} this plugin, with ${kind} hooks`
  test(`a proxy that dispatches upgrades itself works, ${title}`, async (t) => {
    const { app } = createApp(t)
    if (kind === 'asynchronous') app.addHook('onRequest', async () => {})
    if (order === 'before') await proxyUpgrades(app, '/proxied')
    await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
    if (order === 'after') await proxyUpgrades(app, '/proxied')
    const port = await listen(app)
    const time = await connect(`ws://127.0.0.1:${port}/time`)
    t.equal((await time.received(1)).length, 1)
    time.ws.terminate()
    const { ws, received } = await connect(`ws://127.0.0.1:${port}/proxied`)
    t.strictSame(await received(1), ['proxied'])
    ws.terminate()
  })
}

const H2C = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']
const END = 'Connection: close, Upgrade, HTTP2-Settings'

/** Bodies as they may come: at once, or later than the head. */
const bodies: [title: string, headers: string[], body: string][] = [
  ['a length', ['Content-Length: 9'], '{"a":"b"}'],
  ['chunks', ['Transfer-Encoding: chunked'], '9\r\n{"a":"b"}\r\n0\r\n\r\n']
]

for (const registration of ['the plugin', 'the host'] as const) {
  const title = `where ${registration} registers @fastify/websocket`
  async function setUp (t: Parameters<typeof createApp>[0]) {
    const { app } = createApp(t)
    if (registration === 'the host') await app.register(websocket)
    await app.register(timeSocket)
    app.post('/echo', ({ body }) => body)
    app.get('/plain', () => 'plain')
    return await listen(app)
  }

  test(`a GET that asks for h2c is answered over HTTP/1.1, ${title}`, async (t) => {
    const port = await setUp(t)
    for (const [path, answer] of [['/time', /200 OK[^]*"now":/], ['/plain', /200 OK[^]*plain$/]] as const) {
      const headers = [END, ...H2C.slice(1)]
      t.match(await exchange(port, request(path, { headers })), answer)
    }
  })

  test(`a connection stays usable after a request for h2c, ${title}`, async (t) => {
    const port = await setUp(t)
    const peer = openRaw(port, request('/plain', { headers: H2C }))
    await waitFor(() => peer.text.endsWith('plain'), 'the first answer')
    t.match(peer.text, /^HTTP\/1\.1 200 OK\r\n[^]*keep-alive/)
    peer.socket.write(request('/plain', { headers: H2C }))
    t.match(await peer.ended, /plain[^]*200 OK[^]*close[^]*plain$/)
  })

  test(`pipelined requests for h2c are answered in order, ${title}`, async (t) => {
    const port = await setUp(t)
    const length = ['Content-Type: application/json', 'Content-Length: 1']
    const post = (body: string, headers: string[]) =>
      request('/echo', { method: 'POST', headers: [...length, ...headers] }) + body
    const text = await exchange(port, post('1', []) + post('2', H2C) + post('3', H2C) + post('4', []))
    const bodiesOf = text.split('HTTP/1.1 ').slice(1).map((answer) => answer.slice(0, 3) + answer.slice(-1))
    // The connection ends after the second for h2c; on Node.js 26, after the first with a body.
    t.match(String(bodiesOf), /^2001,2002(,2003)?$/)
  })

  test(`a request of HTTP/1.0 for h2c ends its connection, ${title}`, async (t) => {
    const port = await setUp(t)
    const head = request('/plain', { headers: H2C }).replace('HTTP/1.1', 'HTTP/1.0')
    t.match(await exchange(port, head), /200 OK[^]*close[^]*plain$/)
  })

  test(`a WebSocket for a plain route is answered 404, and leaves nothing, ${title}`, async (t) => {
    const { app } = createApp(t)
    if (registration === 'the host') await app.register(websocket)
    await app.register(timeSocket, { maxClients: 1 })
    app.get('/plain', () => 'plain')
    const port = await listen(app)
    for (const path of ['/time/client.js', '/time/elements.js', '/plain']) {
      t.match(await exchange(port, upgradeRequest(path)), /^HTTP\/1\.1 404 /)
    }
    t.equal(app.websocketServer.clients.size, 0)
  })

  for (const [kind, headers, body] of bodies) {
    for (const isLate of [false, true]) {
      const when = isLate ? 'later' : 'at once'
      test(`a POST for h2c whose body comes ${when}, by ${kind}, is answered, ${title}`, async (t) => {
        const port = await setUp(t)
        const all = [END, ...H2C.slice(1), 'Content-Type: application/json', ...headers]
        const head = request('/echo', { method: 'POST', headers: all })
        const peer = openRaw(port, isLate ? head : head + body)
        if (isLate) {
          await once(peer.socket, 'connect')
          await new Promise((resolve) => setTimeout(resolve, 20))
          peer.socket.write(body)
        }
        t.match(await peer.ended, /^HTTP\/1\.1 200 [^]*\{"a":"b"\}/)
      })
    }
  }
}

test('further time sockets of a scope add no hooks to requests of the application', async (t) => {
  const { app } = createApp(t)
  let count = 0
  const { addHook } = app
  app.addHook = function (this: unknown, name: string, ...hook: unknown[]) {
    if (name === 'onRequest') count++
    return Reflect.apply(addHook, this, [name, ...hook])
  } as typeof addHook
  await app.register(timeSocket)
  const countOfFirst = count
  await app.register(timeSocket, { url: '/second', namespace: 'second' })
  t.strictSame([countOfFirst > 0, count], [true, countOfFirst])
})

test('a request for another protocol is answered over HTTP/1.1', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket)
  app.get('/plain', () => 'plain')
  const port = await listen(app)
  const headers = ['Connection: close, Upgrade', 'Upgrade: TLS/1.0']
  t.match(await exchange(port, request('/plain', { headers })), /^HTTP\/1\.1 200 [^]*plain$/)
})

test('a request for another protocol is passed to other listeners', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket)
  app.server.on('upgrade', (_request, socket) => { socket.end('HTTP/1.1 101 other\r\n\r\n') })
  const port = await listen(app)
  const headers = ['Connection: Upgrade', 'Upgrade: other']
  t.equal(await exchange(port, request('/plain', { headers })), 'HTTP/1.1 101 other\r\n\r\n')
})

test('a request for h2c with more header fields than Node.js reads is not read again', async (t) => {
  const { app } = createApp(t, { logger: false })
  await app.register(timeSocket)
  app.server.maxHeadersCount = 10
  const port = await listen(app)
  const fields = Array.from({ length: 20 }, (_, i) => `X-${i}: x`)
  t.match(await exchange(port, request('/time', { headers: [...H2C, ...fields] })), /^HTTP\/1\.1 (200 [^]*close|431)/)
})

test('a pipelined upgrade waits for the answer to the previous request', async (t) => {
  const { app, log } = createApp(t)
  let goOn: (() => void) | undefined
  app.get('/slow', async () => await new Promise((resolve) => { goOn = () => resolve('slow') }))
  await app.register(timeSocket)
  const port = await listen(app)
  const peer = openRaw(port, request('/slow') + upgradeRequest('/time'))
  await once(app.server, 'request')
  await waitFor(() => goOn !== undefined, 'the first request')
  goOn?.()
  await waitFor(() => peer.text.includes('101 Switching'), 'the upgrade')
  t.match(peer.text, /^HTTP\/1\.1 200 [^]*slowHTTP\/1\.1 101 /)
  t.notOk(log.messages('warn').includes('websocket upgrade failed'))
  peer.socket.destroy()
})

test('a pipelined upgrade is dropped if the previous answer ends the connection', async (t) => {
  const { app } = createApp(t)
  let goOn = (): void => {}
  let isAsked = false
  app.get('/last', async (_request, reply) => {
    isAsked = true
    reply.header('connection', 'close')
    return await new Promise((resolve) => { goOn = () => resolve('last') })
  })
  await app.register(timeSocket)
  const port = await listen(app)
  const peer = openRaw(port, request('/last') + upgradeRequest('/time'))
  await waitFor(() => isAsked, 'the first request')
  goOn()
  t.match(await peer.ended, /^HTTP\/1\.1 200 [^]*last$/)
  t.equal(app.timeSocket.stats().accepted, 0)
})

test('injectWS of the application\'s @fastify/websocket connects, and the client is removed when it ends', async (t) => {
  const { app } = createApp(t)
  await app.register(websocket)
  await app.register(timeSocket, { interval: TICKLESS_INTERVAL_MS })
  await app.ready()
  const ws = await app.injectWS('/time')
  await waitFor(() => app.timeSocket.clients.size === 1, 'the client')
  ws.terminate()
  await waitFor(() => app.timeSocket.clients.size === 0, 'its end')
})

test('an upgrade whose socket Node.js wraps to read a body is answered as plain HTTP', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket)
  const { server } = app
  const emit: (event: string, ...args: unknown[]) => boolean = server.emit
  // Node.js 26 does so where the request announces a body.
  server.emit = (event: string, ...args: unknown[]) => {
    if (event !== 'upgrade') return emit.call(server, event, ...args)
    const [request, , head] = args
    const wrapper = new PassThrough()
    const isTaken = emit.call(server, event, request, wrapper, head)
    wrapper.destroy(new Error('ECONNRESET'))
    return isTaken
  }
  const answer = await exchange(await listen(app), upgradeRequest('/time'))
  t.match(answer, /^HTTP\/1\.1 426 [^]*FST_TIME_SOCKET_UPGRADE_REQUIRED/)
})

for (const [title, end] of [
  ['handshakeTimeout', async () => {}],
  ['app.close', async (app: FastifyInstance) => { await within(app.close(), 'closing') }]
] as const) {
  test(`a pipelined upgrade behind a request that is never answered ends: ${title}`, async (t) => {
    const { app } = createApp(t)
    app.get('/hanging', async () => await new Promise(() => {}))
    await app.register(timeSocket, { handshakeTimeout: 200 })
    const port = await listen(app)
    const peer = openRaw(port, request('/hanging') + upgradeRequest('/time'))
    await once(app.server, 'request')
    await end(app)
    t.equal(await peer.ended, '')
  })
}
