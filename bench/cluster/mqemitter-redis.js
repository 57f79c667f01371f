import { once } from 'node:events'
import mqemitter from 'mqemitter-redis'
import WebSocket, { WebSocketServer } from 'ws'

/** A ws server that sends what mqemitter-redis hands it to all its clients. */
export async function start ({ redisPort, clientCount, onMessage }) {
  const emitter = mqemitter({ host: '127.0.0.1', port: redisPort })
  // Without this it ends the process in an outage.
  emitter.state.on('error', () => {})
  // One that subscribes earlier breaks the ready check of ioredis.
  await once(emitter.subConn, 'ready')
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  await new Promise((resolve) => emitter.on('messages', ({ text }, done) => {
    for (const client of server.clients) client.send(text)
    done()
  }, resolve))
  await Promise.all(Array.from({ length: clientCount }, async (_, index) => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.address().port}`, { perMessageDeflate: false })
    ws.on('message', (data) => onMessage(index, String(data)))
    await once(ws, 'open')
  }))
  return { broadcast: (text) => emitter.emit({ topic: 'messages', text }, () => {}) }
}
