import { Socket } from 'node:net'
import { test } from 'tap'
import type { CloseInfo } from '../../../src/index.js'
import { writeFrame, writeTick } from '../../../src/connections/client-connection.js'
import { encodeFrame } from '../../../src/protocol/frame.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'

const frame = encodeFrame('x'.repeat(50))

/** Waits until `currentTurn` returns another number. */
async function nextTurn (): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve))
}

function setUp () {
  const closes: CloseInfo[] = []
  const { client, ws } = createFakeClient({ onClosed: (_client, info) => { closes.push(info) } })
  return { client, ws, closes }
}

test('a tick is skipped, and counted, while bytes from an earlier turn are buffered', async (t) => {
  const { client, ws } = setUp()
  t.equal(writeTick(client, frame), true)
  ws.bufferedAmount = 1
  await nextTurn()
  t.equal(writeTick(client, frame), false)
  t.equal(writeTick(client, frame), false)
  ws.bufferedAmount = 0
  t.equal(writeTick(client, frame), true)
  t.strictSame([client.skippedTicks, ws.sent.length], [2, 2])
})

test('a tick is sent while only bytes of this turn are buffered, as with TLS', async (t) => {
  const { client, ws } = setUp()
  writeFrame(client, frame)
  ws.bufferedAmount = frame.bytes.length
  t.equal(writeTick(client, frame), true)
  t.equal(client.skippedTicks, 0)
})

test('a tick is skipped if older bytes are buffered besides those of this turn', async (t) => {
  const { client, ws } = setUp()
  writeFrame(client, frame)
  ws.bufferedAmount = 50
  await nextTurn()
  writeFrame(client, frame)
  ws.bufferedAmount = 50 + frame.bytes.length
  t.equal(writeTick(client, frame), false)
})

test('a message of any size is accepted while maxBufferedBytes are buffered; with one byte more, the client is terminated', async (t) => {
  const { client, ws, closes } = setUp()
  await nextTurn()
  ws.bufferedAmount = 100
  t.equal(client.send('y'.repeat(1000)), true)
  ws.bufferedAmount = 101
  await nextTurn()
  t.equal(client.send('z'), false)
  t.equal(ws.isTerminated, true)
  t.equal(client.send('z'), false)
  ws.emit('close', 1006, Buffer.alloc(0))
  t.strictSame(closes, [{ code: 1006, reason: '', cause: 'slow' }])
  t.equal(ws.sent.length, 1)
})

test('while bytes are buffered, ws sends the next messages, uncompressed, so that the order is kept', async (t) => {
  const socket = new Socket()
  const { client, ws } = createFakeClient({}, { socket })
  socket.write = (bytes: unknown) => ws.sent.push(`directly ${String(bytes).slice(2)}`) > 0
  client.send('one')
  ws.bufferedAmount = 1
  client.send('two')
  writeTick(client, encodeFrame('three'))
  ws.bufferedAmount = 0
  client.send('four')
  t.strictSame(ws.sent, ['directly one', 'two', 'three', 'directly four'])
})

test('any amount may be queued within one turn', async (t) => {
  const { client, ws } = setUp()
  for (let count = 0; count < 100; count++) {
    t.equal(writeFrame(client, frame), true)
    ws.bufferedAmount += frame.bytes.length
  }
})

test('a closing client is never too slow', async (t) => {
  const { client, ws, closes } = setUp()
  client.close(4000)
  ws.bufferedAmount = 1000
  await nextTurn()
  t.equal(writeTick(client, frame), false)
  t.equal(client.send('x'), false)
  t.strictSame([client.skippedTicks, ws.isTerminated, closes], [0, false, []])
})
