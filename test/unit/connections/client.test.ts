import { once } from 'node:events'
import net from 'node:net'
import { test } from 'tap'
import type { CloseInfo, TimeSocketClient } from '../../../src/index.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { waitFor, within } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]

/** A time socket on a real port, and its one client. */
async function setUp (t: Test, options: Parameters<typeof createTimeApp>[1] = {}) {
  const closes: CloseInfo[] = []
  const { app, log, timeSocket } = await createTimeApp(t, {
    immediate: false, onClose: (_client, info) => closes.push(info), ...options
  })
  const port = await listen(app)
  const peer = await connect(`ws://127.0.0.1:${port}/time`)
  await waitFor(() => timeSocket.clients.size === 1, 'connecting')
  const client = [...timeSocket.clients.values()][0] as TimeSocketClient<object>
  const gone = () => waitFor(() => closes.length === 1, 'onClose')
  return { app, log, port, peer, client, closes, gone, timeSocket }
}

test('has the address and the port of the remote side', async (t) => {
  const { client, peer } = await setUp(t)
  const socket = (peer.ws as unknown as { _socket: net.Socket })._socket
  t.strictSame([client.ip, client.port, client.protocol], ['127.0.0.1', socket.localPort, ''])
})

test('the id cannot be overwritten: the client would stay listed under the old id', async (t) => {
  const { client, gone, timeSocket } = await setUp(t)
  t.throws(() => { Object.assign(client, { id: 'mine' }) }, TypeError)
  client.terminate()
  await gone()
  t.equal(timeSocket.clients.size, 0)
})

test('send passes messages on until the connection is closing', async (t) => {
  const { client, peer, gone } = await setUp(t)
  t.equal(client.send('one'), true)
  t.equal(client.send({ two: 2 }), true)
  t.equal(client.send(Buffer.of(3)), true)
  client.close()
  t.equal(client.send('four'), false)
  await gone()
  t.equal(client.send('five'), false)
  t.strictSame(peer.messages, ['one', '{"two":2}', Buffer.of(3)])
})

test('send refuses invalid data, even after the connection has ended', async (t) => {
  const { client, gone } = await setUp(t)
  t.throws(() => client.send(undefined as never), { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
  client.terminate()
  await gone()
  t.throws(() => client.send(1n as never), { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
})

test('sends messages of every size class whole and in order', async (t) => {
  const { client, peer } = await setUp(t)
  const sizes = [0, 125, 126, 65_535, 65_536, 1_000_000, 1]
  for (const size of sizes) client.send('x'.repeat(size))
  t.strictSame((await peer.received(sizes.length)).map(({ length }) => length), sizes)
})

type CloseArguments = [code?: number | undefined, reason?: string]

const closings: [title: string, args: CloseArguments, code: number, reason: string][] = [
  ['nothing', [], 1000, ''],
  ['a code', [4403], 4403, ''],
  ['a code and a reason', [3000, 'that is all'], 3000, 'that is all'],
  ['a reason without a code', [undefined, 'that is all'], 1000, 'that is all'],
  ['a reason of 123 bytes', [4000, 'x'.repeat(123)], 4000, 'x'.repeat(123)],
  ['a longer reason', [4000, 'x'.repeat(200)], 4000, 'x'.repeat(123)],
  ['a reason whose last character does not fit', [4000, 'x'.repeat(122) + 'é'], 4000, 'x'.repeat(122)],
  ['a reason of four-byte characters', [4000, '🕰'.repeat(40)], 4000, '🕰'.repeat(30)],
  ['a reason that is not valid Unicode', [4000, '\ud800'], 4000, '\ufffd']
]

for (const [title, args, code, reason] of closings) {
  test(`close with ${title} sends ${code}`, async (t) => {
    const { client, peer, closes, gone, timeSocket } = await setUp(t)
    client.close(...args)
    client.close(4999, 'the second does not count')
    t.strictSame(await peer.closed, [code, reason])
    await gone()
    t.strictSame(closes, [{ code, reason, cause: 'application' }])
    t.equal(timeSocket.clients.size, 0)
  })
}

for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, NaN, '1000', null, {}]) {
  test(`close refuses the code ${JSON.stringify(code)}`, async (t) => {
    const { client } = await setUp(t)
    t.throws(() => client.close(code as number), {
      code: 'FST_TIME_SOCKET_INVALID_ARGUMENT',
      message: /^the close code must be 1000 to 1014 except 1004 to 1006, or 3000 to 4999, got /
    })
    t.equal(client.send('still here'), true)
  })
}

test('close refuses a reason that is not a string', async (t) => {
  const { client } = await setUp(t)
  t.throws(() => client.close(4000, Buffer.from('bye') as never), {
    code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', message: /^the close reason must be a string, got /
  })
})

test('terminate ends the connection without a handshake', async (t) => {
  const { client, peer, closes, gone } = await setUp(t)
  client.terminate()
  client.terminate()
  t.strictSame(await peer.closed, [1006, ''])
  await gone()
  t.strictSame(closes, [{ code: 1006, reason: '', cause: 'application' }])
})

test('terminate after the client has closed keeps the client\'s code and reason', async (t) => {
  const { client, peer, closes, gone } = await setUp(t)
  peer.ws.close(4000, 'bye')
  await waitFor(() => !client.send('x'), 'the close frame')
  client.terminate()
  await gone()
  t.strictSame(closes, [{ code: 4000, reason: 'bye', cause: 'client' }])
})

test('terminate after close keeps the code and reason of close', async (t) => {
  const { client, closes, gone } = await setUp(t)
  client.close(4000, 'go')
  client.terminate()
  await gone()
  t.strictSame(closes, [{ code: 4000, reason: 'go', cause: 'application' }])
})

const endings: [title: string, act: (ws: import('ws').WebSocket) => void, info: CloseInfo][] = [
  ['closes', (ws) => ws.close(4000, 'bye'), { code: 4000, reason: 'bye', cause: 'client' }],
  ['closes without a code', (ws) => ws.close(), { code: 1005, reason: '', cause: 'client' }],
  ['vanishes', (ws) => ws.terminate(), { code: 1006, reason: '', cause: 'network' }],
  ['resets', (ws) => (ws as unknown as { _socket: net.Socket })._socket.resetAndDestroy(),
    { code: 1006, reason: '', cause: 'network' }],
  ['ends the socket without a close frame', (ws) => (ws as unknown as { _socket: net.Socket })._socket.end(),
    { code: 1006, reason: '', cause: 'network' }]
]

for (const [title, act, info] of endings) {
  test(`a client that ${title} is reported to onClose as ${info.code}, ${info.cause}`, async (t) => {
    const { peer, closes, gone, timeSocket, log } = await setUp(t)
    act(peer.ws)
    await gone()
    t.strictSame(closes, [info])
    t.equal(timeSocket.clients.size, 0)
    t.strictSame([...log.messages('warn'), ...log.messages('error')], [])
  })
}

/** A client's frame with an all-zero mask, so that its payload reads as written. */
function frame (firstByte: number, payload: Buffer): Buffer {
  const length = payload.length < 126
    ? Buffer.of(0x80 | payload.length)
    : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([Buffer.of(firstByte), length, Buffer.alloc(4), payload])
}

const HUGE = Buffer.from('81ff00000000002000000000000000', 'hex')

const violations: [title: string, bytes: Buffer, code: number, cause: string][] = [
  ['text that is not UTF-8', frame(0x81, Buffer.of(0xff, 0xfe)), 1007, 'protocol'],
  ['a close reason that is not UTF-8', frame(0x88, Buffer.of(0x03, 0xe8, 0xff)), 1007, 'protocol'],
  ['a reserved opcode', frame(0x83, Buffer.alloc(0)), 1002, 'protocol'],
  ['a reserved bit', frame(0xc1, Buffer.from('x')), 1002, 'protocol'],
  ['an unmasked frame', Buffer.of(0x81, 1, 0x78), 1002, 'protocol'],
  ['a continuation frame without a start', frame(0x80, Buffer.from('x')), 1002, 'protocol'],
  ['a fragmented ping', frame(0x09, Buffer.from('x')), 1002, 'protocol'],
  ['a ping of 126 bytes', frame(0x89, Buffer.alloc(126)), 1002, 'protocol'],
  ['a close code that may not be sent', frame(0x88, Buffer.of(0x03, 0xee)), 1002, 'protocol'],
  ['a frame of 2 MiB', HUGE, 1009, 'size'],
  ['more fragments than ws takes', Buffer.concat([
    frame(0x01, Buffer.from('x')), ...Array.from({ length: 16 * 1024 }, () => frame(0x00, Buffer.from('x')))
  ]), 1008, 'rate']
]

for (const [title, bytes, code, cause] of violations) {
  test(`closes with ${code} after ${title}, and logs nothing above info`, async (t) => {
    const { peer, client, closes, gone, log } = await setUp(t)
    const socket = (peer.ws as unknown as { _socket: net.Socket })._socket
    socket.write(bytes)
    t.strictSame(await peer.closed, [code, ''])
    await gone()
    t.strictSame(closes, [{ code, reason: '', cause }])
    t.equal(client.send('x'), false)
    t.strictSame([...log.messages('warn'), ...log.messages('error')], [])
  })
}

test('skips more ticks for a client with buffered bytes than for others, and resumes when the client reads', async (t) => {
  const { port, timeSocket, peer } = await setUp(t, {
    interval: 20, format: () => Buffer.alloc(1024 * 1024)
  })
  const slow = await connect(`ws://127.0.0.1:${port}/time`)
  slow.ws.pause()
  await waitFor(() => timeSocket.clients.size === 2, 'the slow client')
  const [other, slowClient] = timeSocket.clients.values()
  // On a busy machine, a tick of 1 MiB may not be flushed before the next: then both skip some.
  const extraSkips = () => Number(slowClient?.skippedTicks) - Number(other?.skippedTicks)
  await waitFor(() => extraSkips() >= 5, 'five more skipped ticks than the other client')
  await peer.received(peer.messages.length + 3)
  slow.ws.resume()
  // More than the buffers of the operating system held, so some of them are new ticks.
  await slow.received(slow.messages.length + 8)
})

test('a tick during the closing handshake counts neither as delivered nor as skipped', async (t) => {
  const deliveries: object[] = []
  const { client, gone } = await setUp(t, {
    interval: 20,
    shutdown: { grace: 100 },
    format () {
      client.close()
      return 'now'
    },
    onTick: (_tick, delivery) => deliveries.push(delivery)
  })
  await gone()
  t.equal(client.skippedTicks, 0)
  for (const delivery of deliveries) t.strictSame(delivery, { delivered: 0, skipped: 0 })
})

test('a message sent in the same turn as a tick does not make the client skip the tick', async (t) => {
  const { peer, client, timeSocket } = await setUp(t, { interval: 50, onTick: () => { timeSocket.broadcast('x') } })
  await peer.received(10)
  t.equal(client.skippedTicks, 0)
})

test('its messages reach a client that does not use a WebSocket library', async (t) => {
  const { port, timeSocket } = await setUp(t)
  const socket = net.connect(port, '127.0.0.1')
  socket.write('GET /time HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  const [head] = await within(once(socket, 'data'), 'the 101') as [Buffer]
  t.match(head.toString(), /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  t.match(head.toString(), /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
  t.notMatch(head.toString(), /sec-websocket-(protocol|extensions)/i)
  timeSocket.broadcast('Hello')
  const [bytes] = await within(once(socket, 'data'), 'the frame') as [Buffer]
  t.equal(bytes.toString('hex'), '810548656c6c6f')
  socket.destroy()
})

const DOCUMENTED = [
  'close', 'connectedAt', 'context', 'expiresAt', 'id', 'ip', 'port', 'protocol', 'rtt', 'send',
  'skippedTicks', 'terminate'
]

test('a client has only its documented members, even at run time', async (t) => {
  const { client } = await setUp(t, { onMessage () {} })
  const names = new Set<string | symbol>()
  let level: object = client
  while (level !== Object.prototype) {
    for (const name of Reflect.ownKeys(level)) names.add(name)
    level = Object.getPrototypeOf(level)
  }
  names.delete('constructor')
  t.strictSame([...names].map(String).sort(), DOCUMENTED)
})

test('a close reason is logged with control and bidirectional characters escaped', async (t) => {
  const { peer, log, gone, closes } = await setUp(t)
  const reason = 'bye\u001b[31m\u202egnp.exe\r\n'
  peer.ws.close(4000, reason)
  await gone()
  t.equal(closes[0]?.reason, reason)
  const line = log.lines.find(({ msg }) => msg === 'client closed')
  t.equal(line?.reason, 'bye\\u{1b}[31m\\u{202e}gnp.exe\\u{d}\\u{a}')
})
