import { test } from 'tap'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { startExample } from '../../helpers/programs/example-process.js'
import { wallNow } from '../../helpers/programs/machine-clock.js'
import { outputOf } from '../../helpers/programs/program.js'
import { PYTHON, requirePython } from '../../helpers/programs/python.js'
import { pathOf } from '../../helpers/root.js'

const CLIENT = pathOf('test/fixtures/python/time_client.py')
const SCHEDULED = pathOf('test/fixtures/python/scheduled_client.py')
/** How far the server's clock is from ours, as the client is to find out. */
const OFFSET_MS = 3_600_000.25
/** The two processes read the system's clock in two ways, and somebody may be setting it right. */
const CLOCKS_APART_MS = 5

interface Measurement {
  readonly offset: number
  readonly error: number
  readonly rtt: number
  readonly hello: object
}

const options = await requirePython('websockets')

/** The server's clock, and by how much its readings may be too low. */
const clocks: [title: string, clock: { now (): number }, resolutionMs: number][] = [
  ['with fractions', { now: () => wallNow() + OFFSET_MS }, 0.01],
  ['of whole milliseconds', { now: () => Math.floor(Date.now() + OFFSET_MS) }, 1]
]

for (const [title, clock, resolutionMs] of clocks) {
  test(`on a real port, a client in Python measures a server's clock ${title}`, options, async (t) => {
    const { app, timeSocket } = await createTimeApp(t, {
      interval: 100, format: () => 'plain', clock
    })
    const url = `ws://127.0.0.1:${await listen(app)}/time`
    const { offset, error, rtt, hello } = await measure(url)
    t.match(hello, { type: 'hello', server: /^[0-9a-z]{8}$/, interval: 100, clockSteps: 0 })
    const limit = (rtt + resolutionMs) / 2 + 0.02
    t.ok(error > 0 && error <= limit, `± ${error} ms, with a round trip of ${rtt} ms`)
    t.ok(Math.abs(offset - OFFSET_MS) <= error + CLOCKS_APART_MS, `${offset} ± ${error} ms`)
    t.strictSame(timeSocket.stats().messages, { received: 8, ignored: 0 })
  })
}

test('on a real port, a client in Python fires scheduled messages on time', options, async (t) => {
  const told: [data: string, lateMs: number][] = []
  let at = 0
  const { app, timeSocket } = await createTimeApp(t, {
    interval: 100,
    onMessage (_client, data) {
      told.push([String(data), timeSocket.now() - at])
      if (data !== 'ready') return
      at = timeSocket.now() + 3000
      timeSocket.broadcast('replaced', { at, key: 'k' })
      timeSocket.broadcast('cancelled', { at, key: 'c' })
      timeSocket.broadcast('without a key', { at })
      timeSocket.broadcast('at once')
      timeSocket.broadcast({ sold: 7 }, { at: at + 100, key: 'k' })
      timeSocket.cancel('c')
      timeSocket.broadcast('end', { at: at + 200 })
    }
  })
  await outputOf(PYTHON, [SCHEDULED, `ws://127.0.0.1:${await listen(app)}/time`])
  t.strictSame(told.map(([data]) => data),
    ['ready', '{"fired":"at once"}', '{"fired":"without a key"}', '{"fired":{"sold":7}}'])
  // Early by no more than the error of its estimate.
  const [, , [, firstMs = NaN] = [], [, secondMs = NaN] = []] = told
  t.ok(firstMs >= -50 && secondMs >= 50, `${firstMs} and ${secondMs} ms after the first is due`)
})

test('a client in Python works with the unchanged example server', options, async (t) => {
  const { port } = await startExample(t)
  const { offset, error, hello } = await measure(`ws://localhost:${port}`)
  t.match(hello, { type: 'hello', interval: 5000 })
  t.ok(Math.abs(offset) <= error + CLOCKS_APART_MS, `${offset} ± ${error} ms`)
})

async function measure (url: string): Promise<Measurement> {
  return JSON.parse(await outputOf(PYTHON, [CLIENT, url]))
}
