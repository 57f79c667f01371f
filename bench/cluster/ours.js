import fastify from 'fastify'
import { Redis } from 'ioredis'
import WebSocket from 'ws'
import timeSocket from '../../dist/index.js'
import { redisStreams } from '../../dist/cluster/redis/index.js'

/** This plugin, as it is built. */
export async function start ({ redisPort, clientCount, onMessage }) {
  const app = fastify()
  const redis = new Redis({ host: '127.0.0.1', port: redisPort })
  redis.on('error', () => {})
  const backplane = redisStreams(redis)
  await app.register(timeSocket, {
    backplane, immediate: false, interval: 1000, format: 'timestamp', maxBufferedBytes: 2 ** 30
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `ws://127.0.0.1:${app.server.address().port}/time`
  await Promise.all(Array.from({ length: clientCount }, (_, index) => connect(url, (text) => {
    // The others are ticks.
    if (text.includes(':')) onMessage(index, text)
  })))
  return {
    broadcast: (text) => app.timeSocket.broadcast(text),
    /** What it says of itself. */
    stats () {
      const { ticks, backplane: { lost, stale, duplicate, errors } } = app.timeSocket.stats()
      return { counted: lost + stale, missedTicks: ticks.missed, duplicate, errors }
    }
  }
}

function connect (url, onText) {
  const ws = new WebSocket(url, { perMessageDeflate: false })
  ws.on('message', (data) => onText(String(data)))
  return new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject))
}
