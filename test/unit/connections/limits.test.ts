import { test } from 'tap'
import type { WebSocket } from 'ws'
import type { TimeSocketOptions } from '../../../src/index.js'
import { simulateTimers } from '../../helpers/fakes/simulated-timers.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { openRaw, textFrame, upgradeRequest } from '../../helpers/network/raw.js'
import { SOON_MS, waitFor, within } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]

async function setUp (t: Test, options: TimeSocketOptions) {
  const calls: string[] = []
  const { app, log, timeSocket } = await createTimeApp(t, {
    immediate: false,
    messageRate: false,
    shutdown: { grace: 50 },
    onMessage: (client, data) => {
      calls.push(`${typeof data === 'string' ? 'text' : 'bytes'} ${data.length}`)
      client.send('got it')
    },
    onClose: (_client, { code, reason, cause }) => { calls.push(`${code} ${cause} ${reason}`) },
    ...options
  })
  const port = await listen(app)
  return { app, calls, log, timeSocket, port, open: () => connect(`ws://127.0.0.1:${port}/time`) }
}

type Message = string | Buffer

const messages: [title: string, fits: Message, told: string, tooLarge: Message][] = [
  ['text', 'x'.repeat(100), 'text 100', 'x'.repeat(101)],
  ['text, counted in bytes', 'é'.repeat(50), 'text 50', 'é'.repeat(51)],
  ['bytes', Buffer.alloc(100), 'bytes 100', Buffer.alloc(101)]
]

for (const [title, fits, told, tooLarge] of messages) {
  test(`on a real port, a message of maxMessageBytes passes, one byte more closes with 1009: ${title}`, async (t) => {
    const { calls, timeSocket, open } = await setUp(t, { maxMessageBytes: 100 })
    const peer = await open()
    peer.ws.send(fits)
    await peer.received(1)
    peer.ws.send(tooLarge)
    peer.ws.send('and more')
    t.strictSame(await peer.closed, [1009, 'message too large'])
    await waitFor(() => timeSocket.clients.size === 0, 'leaving')
    t.strictSame(calls, [told, '1009 size message too large'])
  })
}

test('on a real port, fragments count as one message', async (t) => {
  const { calls, timeSocket, open } = await setUp(t, { maxMessageBytes: 100 })
  const peer = await open()
  for (const fin of [false, true]) peer.ws.send('x'.repeat(50), { fin })
  await peer.received(1)
  for (const fin of [false, false, true]) peer.ws.send('x'.repeat(34), { fin })
  t.strictSame(await peer.closed, [1009, 'message too large'])
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  t.strictSame(calls, ['text 100', '1009 size message too large'])
})

test('on a real port, a message in more than 1024 fragments closes with 1008', async (t) => {
  const { calls, timeSocket, open } = await setUp(t, {})
  const send = (peer: { ws: WebSocket }, count: number) => {
    for (let left = count; left > 0; left--) peer.ws.send('x', { fin: left === 1 })
  }
  const peer = await open()
  send(peer, 1024)
  await peer.received(1)
  send(peer, 1025)
  t.equal((await peer.closed)[0], 1008)
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  t.strictSame(calls, ['text 1024', '1008 rate '])
})

test('on a real port, more than maxPayload closes with 1009 before the whole message has arrived', async (t) => {
  const { calls, timeSocket, port, log } = await setUp(t, {})
  const peer = openRaw(port, upgradeRequest('/time'))
  await peer.answered
  // The header of a message of 1 MiB and one byte.
  peer.socket.write(Buffer.from('82ff000000000010000100000000', 'hex'))
  await waitFor(() => peer.text.endsWith('\x88\x02\x03\xf1'), 'the close frame')
  peer.socket.end()
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  t.strictSame(calls, ['1009 size '])
  t.strictSame([log.messages('warn'), log.messages('error')], [[], []])
})

test('on a real port, a maxMessageBytes above 1 MiB raises maxPayload with it', async (t) => {
  const maxMessageBytes = 2 * 1024 * 1024
  const { calls, open } = await setUp(t, { maxMessageBytes })
  const peer = await open()
  peer.ws.send(Buffer.alloc(maxMessageBytes))
  await peer.received(1)
  t.strictSame(calls, [`bytes ${maxMessageBytes}`])
})

test('on a real port, a client that exceeds the burst is closed with 1008, and no other client', async (t) => {
  const messageRate = { burst: 5, perSecond: 0.001 }
  const { calls, timeSocket, open, log } = await setUp(t, { messageRate })
  const [bad, good] = [await open(), await open()]
  for (let count = 1; count <= 10; count++) bad.ws.send('x'.repeat(count))
  t.strictSame(await bad.closed, [1008, 'too many messages'])
  await waitFor(() => timeSocket.clients.size === 1, 'leaving')
  t.strictSame(calls, [
    'text 1', 'text 2', 'text 3', 'text 4', 'text 5', '1008 rate too many messages'
  ])
  good.ws.send('hi')
  await good.received(1)
  t.strictSame([log.messages('warn'), log.messages('error')], [[], []])
})

test('on a real port, a client that keeps to the rate stays connected', async (t) => {
  const { calls, open } = await setUp(t, { messageRate: { burst: 1, perSecond: 200 } })
  const peer = await open()
  for (let count = 1; count <= 20; count++) {
    peer.ws.send('hi')
    await peer.received(count)
    // A token has come again 5 ms after the message that took the last.
    const endMs = performance.now() + 6
    await waitFor(() => performance.now() > endMs, 'the next token')
  }
  t.strictSame(calls, Array(20).fill('text 2'))
})

test('on a real port, messageRate false lets clients send as often as they like', async (t) => {
  const { open } = await setUp(t, { messageRate: false })
  const peer = await open()
  for (let count = 0; count < 2000; count++) peer.ws.send('hi')
  t.equal((await peer.received(2000)).length, 2000)
})

test('on a real port, messages held for an async onConnect count toward the rate limit', async (t) => {
  let connect = (): void => {}
  const onConnect = () => new Promise<void>((resolve) => { connect = resolve })
  const messageRate = { burst: 3, perSecond: 0.001 }
  const { calls, open } = await setUp(t, { onConnect, messageRate })
  const peer = await open()
  for (const text of ['a', 'bb', 'ccc', 'dddd']) peer.ws.send(text)
  t.strictSame(await peer.closed, [1008, 'too many messages'])
  connect()
  await waitFor(() => calls.length > 0, 'onClose')
  t.strictSame(calls, ['1008 rate too many messages'])
})

test('on a real port, a message that is too large closes the client even while onConnect is pending', async (t) => {
  const onConnect = () => new Promise(() => {})
  const { open } = await setUp(t, { onConnect, maxMessageBytes: 10 })
  const peer = await open()
  peer.ws.send('x'.repeat(11))
  t.strictSame(await peer.closed, [1009, 'message too large'])
})

test('on a real port, a flood is not parsed once its sender is closed with 1008, and the sender can read the code', async (t) => {
  const time = simulateTimers(t)
  const messageRate = { burst: 5, perSecond: 0.001 }
  const { app, calls, timeSocket, port } = await setUp(t, { messageRate })
  let parsed = 0
  app.websocketServer.on('connection', (ws) => ws.on('message', () => parsed++))
  const peer = openRaw(port, upgradeRequest('/time'))
  await peer.answered
  const flood = Buffer.alloc(16 * 1024 * 1024, textFrame('flood'))
  peer.socket.write(flood)
  await waitFor(() => peer.text.endsWith('too many messages'), 'the close frame')
  peer.socket.destroy()
  // After 64 KiB the server reads one chunk every 250 ms, so the time limit for the closing
  // handshake ends the connection.
  await waitFor(() => {
    time.advance(1000)
    return timeSocket.clients.size === 0
  }, 'leaving')
  t.strictSame(calls, [...Array(5).fill('text 5'), '1008 rate too many messages'])
  // What a few reads of at most 64 KiB bring may be in ws's hands already.
  t.ok(parsed <= 10 * Math.ceil(65_536 / textFrame('flood').length), `${parsed} messages were parsed`)
})

test('on a real port, the server stops reading a client that keeps sending after a close', async (t) => {
  // The plugin does not terminate those who say nothing more: that would take five seconds.
  simulateTimers(t)
  const { app, timeSocket, port } = await setUp(t, { onMessage: (client) => client.close(4000) })
  const parsed: string[] = []
  app.websocketServer.on('connection', (ws) => ws.on('message', (data) => parsed.push(String(data))))
  const peer = openRaw(port, upgradeRequest('/time'))
  await peer.answered
  peer.socket.write(textFrame('close me'))
  await waitFor(() => peer.text.endsWith('\x0f\xa0'), 'the close frame')
  peer.socket.write(textFrame('more'))
  await within(peer.ended, 'the end', SOON_MS)
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  t.strictSame(parsed, ['close me', 'more'])
})

test('on a real port, the server does not wait for the close frame of a client that broke a limit', async (t) => {
  simulateTimers(t)
  const { port } = await setUp(t, { maxMessageBytes: 1 })
  const peer = openRaw(port, upgradeRequest('/time'))
  await peer.answered
  peer.socket.write(textFrame('ab'))
  t.ok((await within(peer.ended, 'the end', SOON_MS)).endsWith('message too large'))
})

test('on a real port, a client that answers a close frame ends with the closing handshake', async (t) => {
  simulateTimers(t)
  const messageRate = { burst: 1, perSecond: 0.001 }
  const { calls, timeSocket, open } = await setUp(t, { messageRate })
  const peer = await open()
  peer.ws.send('a')
  peer.ws.send('b')
  t.strictSame(await peer.closed, [1008, 'too many messages'])
  await waitFor(() => timeSocket.clients.size === 0, 'leaving', SOON_MS)
  t.strictSame(calls, ['text 1', '1008 rate too many messages'])
})

const control: [title: string, send: (ws: WebSocket) => void][] = [
  ['pings', (ws) => ws.ping()],
  ['unsolicited pongs', (ws) => ws.pong()]
]

for (const [title, send] of control) {
  test(`on a real port, ${title} count as messages`, async (t) => {
    const { calls, open, log } = await setUp(t, { messageRate: { burst: 5, perSecond: 0.001 } })
    const peer = await open()
    for (let count = 0; count < 5; count++) send(peer.ws)
    peer.ws.send('one too many')
    t.strictSame(await peer.closed, [1008, 'too many messages'])
    await waitFor(() => calls.length > 0, 'onClose')
    t.strictSame(calls, ['1008 rate too many messages'])
    t.strictSame([log.messages('warn'), log.messages('error')], [[], []])
  })
}

test('on a real port, answers to our own pings do not count as messages', async (t) => {
  const { calls, timeSocket, open } = await setUp(t, {
    heartbeat: { interval: 20, timeout: 1000 }, messageRate: { burst: 1, perSecond: 0.001 }
  })
  const peer = await open()
  let pings = 0
  peer.ws.on('ping', () => pings++)
  await waitFor(() => pings >= 5, 'pings')
  peer.ws.send('hi')
  await peer.received(1)
  t.strictSame([calls, timeSocket.clients.size], [['text 2'], 1])
})

test('on a real port, without a limit, a client that sends pings and reads no pongs counts as slow', async (t) => {
  const { calls, port } = await setUp(t, { messageRate: false })
  const peer = openRaw(port, upgradeRequest('/time'))
  await peer.answered
  peer.socket.pause()
  // ws keeps at most 60 answers.
  peer.socket.write(Buffer.alloc(600, Buffer.from('898000000000', 'hex')))
  await waitFor(() => calls.length > 0, 'onClose')
  t.strictSame(calls, ['1006 slow '])
})
