import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import { createApp, listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

test('in an application that enables compression, frames are sent uncompressed and in order, and compressed messages are read', async (t) => {
  const { app } = createApp(t)
  const received: unknown[] = []
  await app.register(websocket, { options: { perMessageDeflate: { threshold: 0 } } })
  await app.register(timeSocket, {
    interval: 20,
    immediate: false,
    format: ({ seq }) => `tick ${seq}`,
    onMessage: (client, data) => {
      received.push(data)
      client.send('x'.repeat(10_000))
    },
    onTick ({ seq }) {
      app.timeSocket.broadcast('')
      app.timeSocket.broadcast(`news ${seq}`.repeat(1000))
    }
  })
  const port = await listen(app)
  const peer = await connect(`ws://127.0.0.1:${port}/time`, { perMessageDeflate: { threshold: 0 } })
  t.equal(peer.ws.extensions, 'permessage-deflate')
  let compressedCount = 0
  const { _socket: socket } = peer.ws as unknown as { _socket: NodeJS.ReadableStream }
  socket.prependListener('data', (chunk: Buffer) => {
    // RFC 7692 §6: the first reserved bit of a message's first frame says that it is compressed.
    if (((chunk[0] ?? 0) & 0x40) !== 0) compressedCount++
  })
  peer.ws.send('y'.repeat(1000))
  const isReply = (message: unknown) => String(message).length === 10_000
  await waitFor(() => peer.messages.some(isReply) && peer.messages.length >= 40, 'the reply')
  const messages = [...peer.messages]
  t.strictSame(received, ['y'.repeat(1000)])
  t.equal(compressedCount, 0)
  t.equal(messages.filter(isReply).length, 1)
  const others = messages.filter((message) => !isReply(message))
  const first = Number(/\d+/.exec(String(others[0]))?.[0])
  for (const [index, message] of others.entries()) {
    const seq = first + Math.floor(index / 3)
    t.equal(message, [`tick ${seq}`, '', `news ${seq}`.repeat(1000)][index % 3])
  }
})
