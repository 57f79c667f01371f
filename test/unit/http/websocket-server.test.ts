import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocket } from '../../../src/index.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

test('bounds what ws assembles to 1 MiB in 1024 fragments, unless the host says otherwise', async (t) => {
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

test('leaves a @fastify/websocket that the host registered as it is, with the host\'s routes', async (t) => {
  const { app } = createApp(t)
  await app.register(websocket, { options: { maxPayload: 77 } })
  app.get('/echo', { websocket: true }, (socket) => {
    socket.on('message', (data) => socket.send(`echo ${String(data)}`))
  })
  await app.register(timeSocket, { format: 'timestamp' })
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

const SMALLER = 'maxPayload of @fastify/websocket is smaller than maxMessageBytes, and applies'
const LARGER = 'maxPayload of @fastify/websocket lets clients fill the memory before ' +
  'maxMessageBytes is checked'
const MIB = 1024 * 1024

const limits: [
  title: string, maxPayload: number | undefined, maxMessageBytes: number, lines: string[]
][] = [
  ['its own default, of 100 MiB', undefined, 4096, [LARGER]],
  ['as much as ours would be', MIB, 4096, []],
  ['a byte more', MIB + 1, 4096, [LARGER]],
  ['as much as a message may have', 4096, 4096, []],
  ['a byte less', 4095, 4096, [SMALLER]],
  ['as much as a message of more than 1 MiB may have', 2 * MIB, 2 * MIB, []],
  ['none, which is what ws takes 0 for', 0, 4096, [LARGER]],
  ['none, which is what ws takes 4 GiB for', 2 ** 32, 4096, [LARGER]],
  ['none, which is what ws takes a negative one for', -1, 4096, [LARGER]]
]

for (const [title, maxPayload, maxMessageBytes, lines] of limits) {
  test(`warns of a maxPayload of the host's that defeats ours: ${title}`, async (t) => {
    const { app, log } = createApp(t)
    await app.register(websocket, maxPayload === undefined ? {} : { options: { maxPayload } })
    await app.register(timeSocket, { maxMessageBytes })
    t.strictSame(log.messages('warn'), lines)
    const [line] = log.lines.filter(({ level }) => level === 40)
    if (line !== undefined) t.match(line, { timeSocket: '/time', maxMessageBytes })
  })
}

test('warns of a maxPayload among the options that we are given, and of none of our own', async (t) => {
  const { app, log } = createApp(t)
  await app.register(timeSocket, { websocket: { options: { maxPayload: 100 } } })
  t.strictSame(log.messages('warn'), [SMALLER])
  await app.register(timeSocket, { url: '/other', namespace: 'other', maxMessageBytes: 100 })
  t.strictSame(log.messages('warn'), [SMALLER])
})

for (const [title, maxPayload, expected] of [
  ['smaller than', 100, [1009, '']], ['larger than', 10_000, [1009, 'message too large']]
] as const) {
  test(`on a real port, a maxPayload of the host's ${title} maxMessageBytes closes with 1009`, async (t) => {
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
