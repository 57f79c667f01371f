/**
 * For the record: what the same faults do to a bare @fastify/websocket route. Prints a
 * table, and fails only where the comparison could not be made.
 */
import { test } from 'tap'
import { runHandshakes } from '../helpers/hostile/handshakes.js'
import { startServer } from '../helpers/hostile/server-process.js'
import type { ServerKind, ServerSettings, Test } from '../helpers/hostile/server-process.js'
import { runShutdown } from '../helpers/hostile/shutdown.js'

const CLOSE_LIMIT_MS = 10_000
const HANDSHAKE_TIMEOUT_MS = 300
const SEED = 1
const KINDS: [ServerKind, string][] = [
  ['bare', '@fastify/websocket'], ['time-socket', 'fastify-time-socket']
]

/** One line of the table. */
interface Row {
  fault: string
  server: string
  leaked: number
  closeMs: number | undefined
  codes: Record<string, number>
}

test('on real ports, a bare route and this plugin meet the same faults', async (t) => {
  const rows: Row[] = []
  for (const [kind, server] of KINDS) {
    for (const isPressed of [false, true]) {
      const fault = `2000 hostile handshakes${isPressed ? ', @fastify/under-pressure refuses' : ''}`
      rows.push({ fault, server, ...await meetHandshakes(t, kind, isPressed) })
    }
    for (const isTls of [false, true]) {
      const fault = `shutdown over ${isTls ? 'TLS' : 'TCP'}: 500 good, 50 mute, 20 pending, 10 slow`
      rows.push({ fault, server, ...await meetShutdown(t, kind, isTls) })
    }
  }
  for (const line of formatTable(rows)) t.comment(line)
  const ours = rows.filter(({ server }) => server === 'fastify-time-socket')
  t.strictSame(ours.map(({ leaked, codes }) => [leaked, codes]), [
    [0, { '1001 server shutting down': 1 }],
    [0, { '1001 server shutting down': 1 }],
    [0, { '1001 server shutting down': 500 }],
    [0, { '1001 server shutting down': 500 }]
  ])
})

async function meetHandshakes (t: Test, kind: ServerKind, isPressed: boolean) {
  const settings = { kind, handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS, canBePressed: isPressed }
  const server = await startServer(t, settings)
  const { connections, closeMs, goodbye = ['none'] } = await runHandshakes({
    server,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    count: 2000,
    seed: SEED,
    concurrency: 200,
    isPressed,
    closeLimitMs: CLOSE_LIMIT_MS
  })
  return { leaked: connections, closeMs, codes: { [goodbye.join(' ').trim()]: 1 } }
}

async function meetShutdown (t: Test, kind: ServerKind, isTls: boolean) {
  const settings: ServerSettings = { kind, tls: isTls, graceMs: 1000, interval: 1000 }
  const { leaked, closeMs, goodbyes } = await runShutdown({
    server: await startServer(t, settings),
    isTls,
    crowd: { good: 500, mute: 50, pending: 20, slow: 10, late: 20 },
    closeLimitMs: CLOSE_LIMIT_MS
  })
  return { leaked, closeMs, codes: goodbyes }
}

/** Lines of a Markdown table. */
function formatTable (rows: readonly Row[]): string[] {
  return [
    '| fault | server | sockets left | app.close() | what good clients were told |',
    '|---|---|---|---|---|',
    ...rows.map(({ fault, server, leaked, closeMs, codes }) => {
      const took = closeMs === undefined ? `> ${CLOSE_LIMIT_MS} ms` : `${Math.round(closeMs)} ms`
      const told = Object.entries(codes).map(([code, count]) => `${count} × ${code}`).join(', ')
      return `| ${fault} | ${server} | ${leaked} | ${took} | ${told} |`
    })
  ]
}
