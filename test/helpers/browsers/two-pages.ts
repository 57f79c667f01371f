import { readFile } from 'node:fs/promises'
import fastifyStatic from '@fastify/static'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import timeSocket from '../../../src/index.js'
import { createDelayingProxy } from '../network/delaying-proxy.js'
import type { DelayingProxyOptions } from '../network/delaying-proxy.js'
import { createRandom } from '../fakes/random.js'
import { openMeasuredPage } from './measured-page.js'
import type { MeasuredPage, Record } from './measured-page.js'
import { startTruth } from './truth.js'
import { waitFor } from '../network/wait.js'
import { pathOf } from '../root.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** A page's device and its way to the server. */
export interface Place {
  readonly name: string
  /** By how much the device's clock is wrong. */
  readonly wrongMs: number
  readonly network: DelayingProxyOptions
}

export interface TwoPagesOptions {
  executablePath: string
  seconds: number
  /** For how long the far page is stopped, from the middle on. */
  frozenMs: number
  /** With `http` there are no messages, so no hammer falls. Default: `auto`. */
  transport?: 'auto' | 'http'
}

/** What a page has shown, and when, on the server's clock. */
export interface Found {
  readonly place: Place
  readonly record: Record
}

/** When the far page was stopped and went on, on the server's clock. */
export interface Frozen {
  readonly fromMs: number
  readonly untilMs: number
}

export interface TwoPagesResult {
  readonly near: Found
  readonly far: Found
  readonly frozen: Frozen
}

const NEAR: Place = {
  name: 'near', wrongMs: 0, network: { up: { delayMs: 2 }, down: { delayMs: 2 } }
}
const FAR: Place = {
  name: 'far',
  wrongMs: 7 * 60_000,
  network: { up: { delayMs: 35, jitterMs: 20 }, down: { delayMs: 20, jitterMs: 20 } }
}
const EVERY_MS = 500
/** So long before the hammer falls everybody is told. */
const AHEAD_MS = 1500
const READY_MS = 2000
const LAST_FALL_MS = 30_000
const POLL_MS = 200

/** Opens two pages in two browsers, on one server, and has them record what they show. */
export async function runTwoPages (
  t: Test, { executablePath, seconds, frozenMs, transport = 'auto' }: TwoPagesOptions
): Promise<TwoPagesResult> {
  const app = await startServer(t)
  const truth = startTruth(t, () => app.timeSocket.now())
  const [near, far] = await Promise.all([NEAR, FAR].map((place) => open(place))) as [
    MeasuredPage, MeasuredPage
  ]
  if (transport === 'auto') await waitFor(() => app.timeSocket.clients.size === 2, 'both pages')
  await pass(READY_MS)
  const stopHammer = startHammer(app)
  await pass(seconds * 500)
  const fromMs = truth.now()
  const thaw = far.freeze()
  await pass(frozenMs)
  thaw()
  const untilMs = truth.now()
  await pass(seconds * 500)
  const hammerCount = stopHammer()
  if (transport === 'auto') {
    const counts = () => Promise.all([near.countFalls(), far.countFalls()])
    const haveFallen = async () => (await counts()).every((count) => count >= hammerCount)
    // A page that has lost its connection may have missed some: the verdict counts them.
    await waitFor(haveFallen, 'the last hammer', LAST_FALL_MS, POLL_MS).catch(() => {})
  }
  return {
    near: { place: NEAR, record: await near.read(truth) },
    far: { place: FAR, record: await far.read(truth) },
    frozen: { fromMs, untilMs }
  }

  async function open ({ wrongMs, network }: Place): Promise<MeasuredPage> {
    const { port } = app.server.address() as { port: number }
    const proxy = await createDelayingProxy(t, port, { ...network, random: createRandom(7) })
    return await openMeasuredPage(t, executablePath, { port: proxy.port, wrongMs, transport })
  }
}

/** Tells what `Truth` is measured against; the pages find the client where the example has it. */
async function startServer (t: Test): Promise<FastifyInstance> {
  const app = fastify()
  t.teardown(() => app.close())
  const page = await readFile(pathOf('test/helpers/browsers/page.html'))
  app.get('/', (_request, reply) => reply.type('text/html').send(page))
  await app.register(fastifyStatic, {
    root: pathOf('dist/browser'), prefix: '/client/'
  })
  await app.register(timeSocket, { interval: 1000 })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

/** @returns a function that stops it, and says how many hammers there were. */
function startHammer (app: FastifyInstance): () => number {
  let count = 0
  const timer = setInterval(() => {
    const at = Math.ceil(app.timeSocket.now() + AHEAD_MS)
    app.timeSocket.broadcast({ hammer: at }, { at })
    count++
  }, EVERY_MS)
  return () => {
    clearInterval(timer)
    return count
  }
}

async function pass (ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms))
}
