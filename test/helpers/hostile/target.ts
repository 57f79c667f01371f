/**
 * A program: the server that `target-process.ts` starts, for clients that are connected to be
 * hostile to. Its settings are its argument, as JSON.
 */
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import timeSocket from '../../../src/index.js'
import { listen } from '../network/app.js'
import { createLedger } from './ledger.js'
import type { Command, Report, TargetSettings } from './target-process.js'

const { kind, interval, compresses } = JSON.parse(String(process.argv[2])) as TargetSettings
const ledger = createLedger()

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (err) => ledger.fault(String(err)))
}
process.on('message', (command: Command) => obey(command))

const app: FastifyInstance = Fastify({ logger: ledger.logger })
// As a host may register it that has a limit of its own.
const maxPayload = 1024 * 1024
if (compresses) await app.register(websocket, { options: { maxPayload, perMessageDeflate: true } })
if (kind === 'bare') await registerBare()
else await registerTimeSocket()
report({ type: 'ready', port: await listen(app) })

async function registerTimeSocket (): Promise<void> {
  await app.register(timeSocket, {
    interval,
    shutdown: { grace: 100 },
    onMessage: (client, data) => { client.send(data) },
    onClose: (_client, { code, cause }) => ledger.close(`${code} ${cause}`)
  })
}

/** As it is commonly written, by the README of @fastify/websocket; it echoes as well. */
async function registerBare (): Promise<void> {
  if (!compresses) await app.register(websocket)
  app.get('/time', { websocket: true }, (socket) => {
    const timer = setInterval(() => socket.send(new Date().toISOString()), interval)
    socket.on('close', (code) => {
      clearInterval(timer)
      ledger.close(String(code))
    })
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
}

function obey (command: Command): void {
  switch (command) {
    case 'settle':
      ledger.settle()
      report({ type: 'settled' })
      break
    case 'observe':
      app.server.getConnections((_err, connections) => {
        const stats = kind === 'bare' ? undefined : app.timeSocket.stats()
        report({ type: 'observation', ...ledger.read(), connections, stats })
      })
      break
    case 'close':
      app.close().then(() => process.disconnect())
  }
}

function report (message: Report): void {
  process.send?.(message)
}
