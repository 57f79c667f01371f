import fastifyStatic from '@fastify/static'
import closeWithGrace from 'close-with-grace'
import Fastify from 'fastify'
import timeSocket from 'fastify-time-socket'
import { auction } from './auction.js'
import { clock } from './clock.js'

const { HOST: host = 'localhost', PORT = '2112', ROUND = '60' } = process.env
if (host === '') fail('HOST must be a name or an address, got ""')
if (!/^\d+$/.test(PORT) || Number(PORT) > 65535) {
  fail(`PORT must be an integer from 0 to 65535, got ${JSON.stringify(PORT)}`)
}
if (!/^\d+$/.test(ROUND) || Number(ROUND) < 6 || Number(ROUND) > 3600) {
  fail(`ROUND must be an integer from 6 to 3600, in seconds, got ${JSON.stringify(ROUND)}`)
}
const port = Number(PORT)

const app = Fastify({ logger: true })

await app.register(timeSocket, {
  url: '/',
  interval: 5000,
  format: 'date-string',
  immediate: false,
  // Public, and without cookies: a copy of the page, opened as a file, may connect as well.
  origin: '*',
  // Plain HTTP at the URL of the socket: somebody has typed the server's address.
  handler: (_request, reply) => reply.redirect('/TimeSocketClient.html'),
  onConnect (client) {
    app.log.info(`Request IP: ${client.ip}, ${client.port}`)
    client.send('Hi from Time Server!')
  },
  onMessage (client, data) {
    app.log.info(`Received message ${data}`)
    client.send('Got your message')
  },
  onClose () {
    app.log.info('socket closed')
  },
  onTick ({ sent }) {
    app.log.info(`There are ${app.timeSocket.clients.size} clients, sent time ${new Date(sent)}`)
  },
  // The callbacks above log in our own words.
  logLevel: 'warn'
})
await app.register(auction, { roundMs: Number(ROUND) * 1000 })
await app.register(clock)
await app.register(fastifyStatic, { root: new URL('../public', import.meta.url), logLevel: 'warn' })

closeWithGrace(async ({ err }) => {
  if (err) app.log.error(err)
  await app.close()
})
try {
  await app.listen({ host, port, listenTextResolver: (url) => `Time Server started at ${url}` })
} catch (err) {
  fail(explain(err as NodeJS.ErrnoException))
}

function explain ({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'EADDRINUSE') return `cannot listen at ${host}, port ${port}: ${message}`
  const remedy = `PORT=${port === 65535 ? 2112 : port + 1} npm start`
  return `${host}, port ${port} is in use: stop the program that has it, or try ${remedy}`
}

function fail (message: string): never {
  console.error(message)
  process.exit(1)
}
