import { test } from 'tap'
import { runHandshakes } from './handshakes.js'
import { startServer } from './server-process.js'

export interface Extent {
  count: number
  seed: number
  concurrency: number
}

const HANDSHAKE_TIMEOUT_MS = 300
/** Long enough for a busy machine, and shorter than a client that blocks the server could last. */
const LIMIT_MS = 10_000
/** What must be among the answers, or the clients have not tried everything. */
const ANSWERS = ['101', '200', '400', '403', '404', '500', '503', 'none']
const ANSWERS_UNDER_PRESSURE = ['400', '403', '500', '503', 'none']

/** Tests that hostile handshakes leave nothing behind, and harm nobody. */
export function testHandshakes ({ count, seed, concurrency }: Extent): void {
  for (const [title, isPressed, expected] of [
    ['', false, ANSWERS],
    ['that @fastify/under-pressure refuses ', true, ANSWERS_UNDER_PRESSURE]
  ] as const) {
    test(`${count} hostile handshakes ${title}leave nothing behind (SEED=${seed})`, async (t) => {
      const server = await startServer(t, {
        kind: 'time-socket', handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS, canBePressed: isPressed
      })
      const { answers, silenceMs, closeMs, ...outcome } = await runHandshakes({
        server,
        handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
        count,
        seed,
        concurrency,
        isPressed,
        closeLimitMs: LIMIT_MS
      })
      t.comment(`answers ${JSON.stringify(answers)}, close ${closeMs} ms, silence ${silenceMs} ms`)
      t.strictSame(outcome, {
        stuck: [],
        faults: [],
        connections: 0,
        handles: 0,
        isServed: true,
        goodbye: [1001, 'server shutting down']
      })
      t.ok(silenceMs < LIMIT_MS, `the healthy client waited ${silenceMs} ms for a tick`)
      t.ok(closeMs !== undefined, 'app.close() resolves')
      t.equal(await server.exited, 0)
      t.strictSame(expected.filter((answer) => answers[answer] === undefined), [])
    })
  }
}
