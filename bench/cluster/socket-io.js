import { createAdapter } from '@socket.io/redis-streams-adapter'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { io as connectTo } from 'socket.io-client'

/** socket.io with its adapter for Redis Streams, WebSocket only. */
export async function start ({ redisPort, clientCount, onMessage }) {
  const http = createServer()
  const redis = new Redis({ host: '127.0.0.1', port: redisPort })
  redis.on('error', () => {})
  const io = new Server(http, {
    adapter: createAdapter(redis), transports: ['websocket'], maxHttpBufferSize: 2 ** 30
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${http.address().port}`
  await Promise.all(Array.from({ length: clientCount }, async (_, index) => {
    const socket = connectTo(url, { transports: ['websocket'], forceNew: true })
    socket.on('text', (text) => onMessage(index, text))
    await new Promise((resolve) => socket.on('connect', resolve))
  }))
  return { broadcast: (text) => io.emit('text', text) }
}
