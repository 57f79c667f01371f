import redis from '@fastify/redis'
import closeWithGrace from 'close-with-grace'
import Fastify from 'fastify'
import timeSocket from 'fastify-time-socket'
import { redisStreams } from 'fastify-time-socket/redis'

/**
 * One of several servers that share a Redis: what a client sends to any of them reaches the clients
 * of all. Start it twice, with different ports.
 */
const { HOST: host = 'localhost', PORT: port = '2112', REDIS: url = 'redis://localhost' } = process.env

const app = Fastify({ logger: true })

await app.register(redis, { url })
// @fastify/redis goes on without; without a listener ioredis would print each attempt.
app.redis.on('error', (err) => app.log.debug({ err }, 'Redis is away'))
await app.register(timeSocket, {
  url: '/',
  interval: 1000,
  // Public, and without cookies.
  origin: '*',
  backplane: redisStreams(app.redis, { key: 'example' }),
  onMessage (client, data) {
    app.timeSocket.broadcast(`${port}: ${data}`, { except: client.id })
  }
})

closeWithGrace(async ({ err }) => {
  if (err) app.log.error(err)
  await app.close()
})
await app.listen({ host, port: Number(port) })
