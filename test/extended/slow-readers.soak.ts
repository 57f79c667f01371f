import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../src/index.js'
import { listen } from '../helpers/network/app.js'
import { collectGarbage } from '../helpers/network/garbage.js'
import { https } from '../helpers/network/tls.js'

const PAIR_COUNT = 100
const MESSAGE_COUNT = 1000
const MESSAGE_BYTES = 65_536
/** RFC 6455 §5.2: two bytes, and eight for a length that needs them. */
const HEADER_BYTES = 10
const EVERY_MS = 10
const MAX_GROWTH_MIB = 64
const MIB = 1024 * 1024

const clients = fileURLToPath(new URL('slow-readers-process.js', import.meta.url))

for (const [title, scheme, serverOptions] of [
  ['TCP', 'ws', {}], ['TLS', 'wss', { https }]
] as const) {
  test(`over ${title}, ${PAIR_COUNT} clients that never read do not delay other clients, and cost the server little memory`, {
    timeout: 300_000
  }, async (t) => {
    const app = Fastify(serverOptions as object) as unknown as FastifyInstance
    t.teardown(() => app.close())
    const causes: string[] = []
    await app.register(timeSocket, {
      immediate: false,
      interval: 3_600_000,
      // The clients count bytes, and answer nothing.
      heartbeat: false,
      onClose: (_client, { cause }) => causes.push(cause)
    })
    const port = await listen(app)
    const frameBytes = HEADER_BYTES + MESSAGE_BYTES
    const peers = fork(clients, [scheme, port, PAIR_COUNT, MESSAGE_COUNT, frameBytes].map(String))
    t.teardown(() => peers.kill())
    await once(peers, 'message')
    t.equal(app.timeSocket.clients.size, 2 * PAIR_COUNT)

    collectGarbage()
    const before = process.memoryUsage()
    const finished = once(peers, 'message')
    const most = { ...before }
    const startedMs = performance.now()
    for (let number = 0; number < MESSAGE_COUNT; number++) {
      app.timeSocket.broadcast(String(number).padStart(MESSAGE_BYTES))
      const dueMs = startedMs + (number + 1) * EVERY_MS
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())))
      const now = process.memoryUsage()
      most.rss = Math.max(most.rss, now.rss)
      most.external = Math.max(most.external, now.external)
    }
    const tookMs = performance.now() - startedMs
    const [problems] = await finished
    // Buffers too: RSS may not grow where this process, with its compiler, had more before.
    const rssMib = (most.rss - before.rss) / MIB
    const buffersMib = (most.external - before.external) / MIB
    t.comment(`${title}: ${MESSAGE_COUNT} broadcasts in ${Math.round(tookMs)} ms, ` +
      `RSS ${rssMib.toFixed(1)} MiB more at most, buffers ${buffersMib.toFixed(1)} MiB`)
    t.strictSame(problems, [])
    t.strictSame(causes, Array(PAIR_COUNT).fill('slow'))
    t.equal(app.timeSocket.clients.size, PAIR_COUNT)
    t.ok(Math.max(rssMib, buffersMib) <= MAX_GROWTH_MIB, `at most ${MAX_GROWTH_MIB} MiB`)
  })
}
