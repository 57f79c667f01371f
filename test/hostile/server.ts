/**
 * A program: the server that `server-process.ts` starts. Its settings are its argument, as
 * JSON; commands and reports pass between the two processes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import underPressure from '@fastify/under-pressure'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import timeSocket from '../../src/index.js'
import { listen } from '../helpers/app.js'
import { https } from '../helpers/tls.js'
import type { Command, Report, ServerSettings } from './server-process.js'

/** More than fits into the kernel's buffers: for a client that asks for it and does not read. */
const FLOOD = Buffer.alloc(8 * 1024 * 1024)
const SLOW_MS = 30

const settings = JSON.parse(String(process.argv[2])) as ServerSettings
const { kind, interval = 50, handshakeTimeoutMs = 10_000, graceMs = 1000 } = settings
let isPressed = false

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (err) => report({ type: 'fault', message: String(err) }))
}
process.on('message', (command: Command) => obey(command))

const app = (settings.tls === true ? Fastify({ https }) : Fastify()) as unknown as FastifyInstance
app.addHook('onRequest', misbehave('early'))
if (settings.canBePressed === true) {
  const healthCheck = async () => !isPressed
  await app.register(underPressure, { healthCheck, healthCheckInterval: 20 })
}
app.register(async (scope) => {
  scope.addHook('onRequest', misbehave('outside'))
  scope.get('/outside', () => 'outside')
})
if (kind === 'bare') await registerBare()
else await registerTimeSocket()
app.get('/plain', () => 'plain')
app.post('/plain', ({ body }) => body)
app.get('/items/:id', () => 'item')
report({ type: 'ready', port: await listen(app) })

async function registerTimeSocket (): Promise<void> {
  await app.register(timeSocket, {
    interval,
    handshakeTimeout: handshakeTimeoutMs,
    drain: { grace: graceMs },
    preValidation: misbehave('late'),
    onMessage: (client, data) => client.send(answerTo(String(data)))
  })
}

/** As it is commonly written, by the README of @fastify/websocket. */
async function registerBare (): Promise<void> {
  await app.register(websocket)
  app.get('/time', { websocket: true, preValidation: misbehave('late') }, (socket) => {
    const timer = setInterval(() => socket.send(new Date().toISOString()), interval)
    socket.on('close', () => clearInterval(timer))
    socket.on('message', (data) => socket.send(answerTo(String(data))))
  })
}

/** A hook that does what the query asks of it: `?when=early&what=hang`. */
function misbehave (when: string) {
  return async ({ query }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const asked = query as { when?: string, what?: string }
    if (asked.when !== when) return
    switch (asked.what) {
      case 'throw': throw new Error('no database')
      case 'answer': return reply.code(403).send('no')
      case 'hang': return await new Promise(() => {})
      default: await sleep(SLOW_MS)
    }
  }
}

function answerTo (message: string): string | Buffer {
  return message === 'flood' ? FLOOD : `got ${message}`
}

function obey (command: Command): void {
  switch (command) {
    case 'press':
      isPressed = true
      break
    case 'count':
      app.server.getConnections((_err, connections) => {
        const handles = process.getActiveResourcesInfo()
          .filter((name) => name === 'TCPSocketWrap').length
        report({ type: 'count', connections, handles })
      })
      break
    case 'close':
      close()
  }
}

/** Whatever ends the process afterwards, it is not us. */
async function close (): Promise<void> {
  const startMs = performance.now()
  await app.close()
  report({ type: 'closed', tookMs: performance.now() - startMs })
  process.disconnect()
}

function report (message: Report): void {
  process.send?.(message)
}
