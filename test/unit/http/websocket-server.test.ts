import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocket } from '../../../src/index.js'
import { createApp, createTimeApp, listen, TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

test('limits messages in ws to 1 MiB in 1024 fragments, unless the application sets other limits', async (t) => {
  const { app } = await createTimeApp(t)
  t.match(app.websocketServer.options, { maxPayload: 1024 * 1024, maxFragments: 1024 })
  const { app: other } = await createTimeApp(t, {
    websocket: { options: { maxPayload: 100, maxFragments: 10 } }
  })
  t.match(other.websocketServer.options, { maxPayload: 100, maxFragments: 10 })
  const options = { maxPayload: undefined } as {}
  const { app: third } = await createTimeApp(t, { websocket: { options } })
  t.equal(third.websocketServer.options.maxPayload, 1024 * 1024, 'undefined counts as left out')
})

test('does not change a @fastify/websocket that the application has registered, or its routes', async (t) => {
  const { app } = createApp(t)
  await app.register(websocket, { options: { maxPayload: 77 } })
  app.get('/echo', { websocket: true }, (socket) => {
    socket.on('message', (data) => socket.send(`echo ${String(data)}`))
  })
  await app.register(timeSocket, { format: 'timestamp', interval: TICKLESS_INTERVAL_MS })
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

test('the application may declare WebSocket routes after the plugin has registered @fastify/websocket', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket)
  app.get('/echo', { websocket: true }, (socket) => socket.send('host'))
  const port = await listen(app)
  const peer = await connect(`ws://127.0.0.1:${port}/echo`)
  t.strictSame(await peer.received(1), ['host'])
})

test('each sibling scope has its own @fastify/websocket, and an upgrade is handled once, without a warning', async (t) => {
  const { app, log } = createApp(t)
  const found: TimeSocket[] = []
  for (const prefix of ['/one', '/two']) {
    app.register(async (scope) => {
      await scope.register(timeSocket, { format: () => prefix, interval: TICKLESS_INTERVAL_MS })
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
  test(`an application that listens to all connections gets the close events of the plugin's clients, with clientTracking ${clientTracking}`, async (t) => {
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

const SMALLER = 'maxPayload of @fastify/websocket applies, because it is smaller than maxMessageBytes'
const LARGER = 'maxPayload of @fastify/websocket lets clients fill the memory before ' +
  'maxMessageBytes is checked'
const MIB = 1024 * 1024

const limits: [
  title: string, maxPayload: number | undefined, maxMessageBytes: number, lines: string[]
][] = [
  ['its own default, of 100 MiB', undefined, 4096, [LARGER]],
  ['as much as the plugin\'s default', MIB, 4096, []],
  ['a byte more', MIB + 1, 4096, [LARGER]],
  ['as much as maxMessageBytes', 4096, 4096, []],
  ['a byte less', 4095, 4096, [SMALLER]],
  ['as much as a maxMessageBytes of more than 1 MiB', 2 * MIB, 2 * MIB, []],
  ['0, which ws reads as none', 0, 4096, [LARGER]],
  ['4 GiB, which ws reads as none', 2 ** 32, 4096, [LARGER]],
  ['a negative one, which ws reads as none', -1, 4096, [LARGER]]
]

for (const [title, maxPayload, maxMessageBytes, lines] of limits) {
  test(`warns if the application's maxPayload conflicts with maxMessageBytes: ${title}`, async (t) => {
    const { app, log } = createApp(t)
    await app.register(websocket, maxPayload === undefined ? {} : { options: { maxPayload } })
    await app.register(timeSocket, { maxMessageBytes })
    t.strictSame(log.messages('warn'), lines)
    const [line] = log.lines.filter(({ level }) => level === 40)
    if (line !== undefined) t.match(line, { timeSocket: '/time', maxMessageBytes })
  })
}

test('warns about a maxPayload in the option websocket, but not about the plugin\'s own', async (t) => {
  const { app, log } = createApp(t)
  await app.register(timeSocket, { websocket: { options: { maxPayload: 100 } } })
  t.strictSame(log.messages('warn'), [SMALLER])
  await app.register(timeSocket, { url: '/other', namespace: 'other', maxMessageBytes: 100 })
  t.strictSame(log.messages('warn'), [SMALLER])
})

for (const [title, maxPayload, expected] of [
  ['smaller than', 100, [1009, '']], ['larger than', 10_000, [1009, 'message too large']]
] as const) {
  test(`on a real port, a message beyond maxMessageBytes closes with 1009 if the application's maxPayload is ${title} maxMessageBytes`, async (t) => {
    const { app } = createApp(t)
    const causes: string[] = []
    await app.register(websocket, { options: { maxPayload } })
    await app.register(timeSocket, {
      maxMessageBytes: 1000, onClose: (_client, { cause }) => { causes.push(cause) }
    })
    const { ws, closed } = await connect(`ws://127.0.0.1:${await listen(app)}/time`)
    ws.send('x'.repeat(1001))
    t.strictSame(await closed, expected)
    await waitFor(() => causes.length > 0, 'onClose')
    t.strictSame(causes, ['size'])
  })
}
