/**
 * A program: the server that `server-process.ts` starts. Its settings are its argument, as
 * JSON; commands and reports pass between the two processes.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import underPressure from '@fastify/under-pressure'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import timeSocket from '../../../src/index.js'
import type { Tick } from '../../../src/index.js'
import { listen } from '../network/app.js'
import { heapBytes } from '../network/garbage.js'
import { https } from '../network/tls.js'
import { registerBare } from './bare-route.js'
import type { Command, Report, ServerSettings, State, TickRecord } from './server-process.js'

/** More than fits into the kernel's buffers: for a client that asks for it and does not read. */
const FLOOD = Buffer.alloc(8 * 1024 * 1024)
const SLOW_MS = 30
/** How many ticks are remembered. */
const MAX_TICKS = 1000

const settings = JSON.parse(String(process.argv[2])) as ServerSettings
const { kind, interval = 50, handshakeTimeoutMs = 10_000, graceMs = 1000, heartbeat } = settings
let isPressed = false
/** What to do just after clients have been pinged. */
let onPinged: (() => void) | undefined
let state: () => State
const ticks: TickRecord[] = []
/** How late a timer of 5 ms is: whatever holds up the event loop. */
const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (err) => report({ type: 'fault', message: String(err) }))
}
process.on('message', (command: Command) => obey(command))
// Whoever started it has died.
process.once('disconnect', orphaned)

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
if (kind === 'bare') {
  const preValidation = misbehave('late')
  state = await registerBare(app, { interval, heartbeat, preValidation, answerTo, onPing: seize })
} else {
  state = await registerTimeSocket()
}
app.get('/plain', () => 'plain')
app.post('/plain', ({ body }) => body)
app.get('/items/:id', () => 'item')
report({ type: 'ready', port: await listen(app) })

async function registerTimeSocket (): Promise<() => State> {
  await app.register(timeSocket, {
    interval,
    handshakeTimeout: handshakeTimeoutMs,
    shutdown: { grace: graceMs },
    heartbeat,
    preValidation: misbehave('late'),
    onMessage (client, data) {
      const [, afterMs] = /^in (\d+)$/.exec(String(data)) ?? []
      if (afterMs === undefined) client.send(answerTo(String(data)))
      else schedule(Number(afterMs))
    },
    expiresAt,
    onTick (tick) {
      record(tick)
      seize()
    },
    ...settings.options
  })
  const { broadcastEveryMs } = settings
  if (broadcastEveryMs !== undefined) {
    setInterval(() => app.timeSocket.broadcast({ news: Date.now() }), broadcastEveryMs).unref()
  }
  return () => {
    const stats = app.timeSocket.stats()
    const rtts = [...app.timeSocket.clients.values()].flatMap(({ rtt }) => rtt ?? [])
    return { clients: stats.clients, closed: stats.closed, rtts, stats, ticks }
  }
}

/** As the query says: `?expires=5000`, in ms from now. */
function expiresAt ({ query }: FastifyRequest): number | undefined {
  const { expires } = query as { expires?: string }
  return expires === undefined ? undefined : app.timeSocket.now() + Number(expires)
}

/** Tells everybody so, so many ms from now. */
function schedule (afterMs: number): void {
  app.timeSocket.broadcast(`${afterMs} ms later`, { at: app.timeSocket.now() + afterMs })
}

function record (tick: Tick): void {
  ticks.push({ ...tick, monotonicMs: performance.now(), heldUpMs: delay.max / 1e6 })
  delay.reset()
  if (ticks.length > MAX_TICKS) ticks.shift()
}

/** Called when pings are on their way, and no answer has been read. */
function seize (): void {
  // No timer of the heartbeat's is to begin after what follows.
  if (onPinged !== undefined) setImmediate(onPinged)
  onPinged = undefined
}

function stall (ms: number): void {
  const [fromMs, startMs] = [Date.now(), performance.now()]
  while (performance.now() - startMs < ms);
  report({ type: 'stalled', fromMs, toMs: Date.now() })
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
  if (typeof command === 'object') {
    onPinged = () => stall(command.stallMs)
    return
  }
  switch (command) {
    case 'tell':
      onPinged = () => report({ type: 'pinged' })
      break
    case 'state':
      report({ type: 'state', ...state() })
      break
    case 'memory':
      heapBytes().then((heap) => report({ type: 'memory', rss: process.memoryUsage.rss(), heap }))
      break
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
  process.off('disconnect', orphaned)
  process.disconnect()
}

function orphaned (): void {
  process.exit(1)
}

function report (message: Report): void {
  process.send?.(message)
}
