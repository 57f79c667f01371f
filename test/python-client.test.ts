import { performance } from 'node:perf_hooks'
import { test } from 'tap'
import { createTimeApp, listen } from './helpers/app.js'
import { startExample } from './helpers/example-process.js'
import { outputOf, runProgram } from './helpers/program.js'

const PYTHON = '/usr/bin/python3'
const CLIENT = new URL('python/time_client.py', import.meta.url).pathname
/** How far the server's clock is from ours, as the client is to find out. */
const OFFSET_MS = 3_600_000.25

interface Measurement {
  readonly offset: number
  readonly error: number
  readonly rtt: number
  readonly hello: object
}

const hasWebsockets = await canImport('websockets')
if (!hasWebsockets && process.env.CI === 'true') throw new Error('install python3-websockets')
const options = { skip: !hasWebsockets && 'there is no python3-websockets' }

test('a client in Python finds the server\'s clock, on a real port', options, async (t) => {
  // With all fractions: without them, the bounds may miss each other by a millisecond.
  const clock = { now: () => performance.timeOrigin + performance.now() + OFFSET_MS }
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 100, format: () => 'plain', clock
  })
  const { offset, error, rtt, hello } = await measure(`ws://127.0.0.1:${await listen(app)}/time`)
  t.match(hello, { type: 'hello', server: /^[0-9a-z]{8}$/, interval: 100, epoch: 0 })
  t.ok(error > 0 && error <= rtt / 2 + 0.02, `± ${error} ms, with a round trip of ${rtt} ms`)
  // The two processes read the system's clock in two ways, a little apart.
  t.ok(Math.abs(offset - OFFSET_MS) <= error + 0.5, `${offset} ± ${error} ms`)
  t.strictSame(timeSocket.stats().messages, { received: 8, ignored: 0 })
})

test('the same client, and the example that knows nothing of it', options, async (t) => {
  const { port } = await startExample(t)
  const { offset, error, hello } = await measure(`ws://localhost:${port}`)
  t.match(hello, { type: 'hello', interval: 5000 })
  t.ok(Math.abs(offset) <= error + 1, `${offset} ± ${error} ms`)
})

async function measure (url: string): Promise<Measurement> {
  return JSON.parse(await outputOf(PYTHON, [CLIENT, url]))
}

async function canImport (name: string): Promise<boolean> {
  const { code } = await runProgram(PYTHON, ['-c', `import ${name}`])
  return code === 0
}
