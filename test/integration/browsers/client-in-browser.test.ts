import { readFile } from 'node:fs/promises'
import { t as file, test } from 'tap'
import type { Page } from 'playwright-core'
import type { ServerClock } from '../../../src/browser/index.js'
import timeSocket from '../../../src/index.js'
import { createApp, listen } from '../../helpers/network/app.js'
import { findBrowser, openPage } from '../../helpers/browsers/browser.js'
import { createDelayingProxy } from '../../helpers/network/delaying-proxy.js'
import type { DelayingProxyOptions } from '../../helpers/network/delaying-proxy.js'
import { wallNow } from '../../helpers/programs/machine-clock.js'
import { pathOf } from '../../helpers/root.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** What the page keeps for the test. */
interface ClockPage {
  clock: ServerClock
  /** The server's time, as nobody could know it but for sitting on the same machine. */
  truth: () => number
  events: string[]
}

/** What the page's clock shows, and by how much that is wrong. */
interface Reading {
  wrongMs: number
  errorMs: number
  rtt: number
  state: string
}

/** By how much the server's clock is ahead of that of this machine, which both run on. */
const AHEAD_MS = 86_400_000 / 7
/** How well the same moment is known in two processes: a page's clock shows whole milliseconds. */
const TRUTH_MS = 1.5
/** The least that the bound can be is half of it. */
const WAY = { up: { delayMs: 35, jitterMs: 5 }, down: { delayMs: 10, jitterMs: 5 } }
const ROUND_TRIP_MS = 45

const FILE_LIMIT_MS = 600_000
file.setTimeout(FILE_LIMIT_MS)
file.comment(`timeout=${FILE_LIMIT_MS}`)

const browser = await findBrowser()
const skip = browser === undefined && 'no Chromium here: set BROWSER_PATH'

test('on a real port, a page far from its server', { skip }, async (t) => {
  const { page, proxy, app, problems } = await setUp(t, WAY)

  await t.test('knows the server\'s time within the error bound', async (t) => {
    await page.evaluate(() => window.test.clock.ready({ error: 200 }))
    for (let i = 0; i < 20; i++) {
      const { wrongMs, errorMs, rtt } = await read(page)
      t.ok(Math.abs(wrongMs) <= errorMs + TRUTH_MS, `wrong by ${wrongMs}, ± ${errorMs}`)
      t.ok(rtt >= ROUND_TRIP_MS - 1, `a round trip of ${rtt}`)
      await page.waitForTimeout(50)
    }
    const { wrongMs, errorMs } = await read(page)
    t.comment(`wrong by ${wrongMs.toFixed(2)} ms, ± ${errorMs.toFixed(2)}`)
  })

  await t.test('calls back at the server\'s time, never early by more than the error bound', async (t) => {
    const lateMs = await page.evaluate(() => new Promise<number[]>((resolve) => {
      const { clock, truth } = window.test
      const dueMs = Math.ceil(clock.now()) + 300
      const late: number[] = []
      clock.at(dueMs, () => late.push(truth() - dueMs))
      const stop = clock.every(200, () => {
        late.push(truth() - Math.floor((clock.now() + 1) / 200) * 200)
        if (late.length < 6) return
        stop()
        resolve(late)
      })
    }))
    const { errorMs } = await read(page)
    t.equal(lateMs.length, 6)
    t.ok(lateMs.every((ms) => ms >= -errorMs - TRUTH_MS), `late by ${lateMs}`)
    t.ok(Math.min(...lateMs) < 5000, `late by ${lateMs}`)
  })

  await t.test('keeps the time while the connection is lost', async (t) => {
    const before = await read(page)
    proxy.cut()
    await page.waitForFunction(() => window.test.events.filter((name) => name === 'open').length === 2)
    const { wrongMs, errorMs } = await read(page)
    t.ok(Math.abs(wrongMs) <= errorMs + TRUTH_MS, `wrong by ${wrongMs}, ± ${errorMs}`)
    t.ok(errorMs <= before.errorMs + 50, `± ${errorMs} after ± ${before.errorMs}`)
    t.equal(app.timeSocket.clients.size, 1)
  })

  await t.test('recovers after it was frozen like a hidden page', async (t) => {
    const session = await page.context().newCDPSession(page)
    await session.send('Page.setWebLifecycleState', { state: 'frozen' })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await session.send('Page.setWebLifecycleState', { state: 'active' })
    await page.waitForFunction(() => window.test.clock.state === 'open')
    const { wrongMs, errorMs } = await read(page)
    t.ok(Math.abs(wrongMs) <= errorMs + TRUTH_MS, `wrong by ${wrongMs}, ± ${errorMs}`)
  })

  await t.test('waits during a network outage, and shows the right time afterwards', async (t) => {
    const thaw = proxy.freeze()
    await page.waitForTimeout(1000)
    thaw()
    await page.evaluate(() => window.test.clock.ready())
    const { wrongMs, errorMs, state } = await read(page)
    t.ok(Math.abs(wrongMs) <= errorMs + TRUTH_MS, `wrong by ${wrongMs}, ± ${errorMs}`)
    t.equal(state, 'open')
  })

  await t.test('disconnects when the page is closed', async (t) => {
    await page.evaluate(() => window.test.clock.close())
    t.equal(await page.evaluate(() => window.test.clock.state), 'closed')
    t.strictSame(problems, [])
  })
})

test('on a real port, a page that may not connect is refused', { skip }, async (t) => {
  const { page } = await setUp(t, {}, true)
  await page.waitForFunction(() => window.test.events.includes('refused'))
  const seen = await page.evaluate(() => [window.test.clock.state, ...window.test.events])
  t.strictSame(seen, ['refused', 'close', 'refused'])
})

/** A page with a clock, and a server whose time differs from that of the page's machine. */
async function setUp (t: Test, way: DelayingProxyOptions, isForbidden = false) {
  const { app } = createApp(t)
  await app.register(timeSocket, {
    interval: 500,
    clock: { now: () => wallNow() + AHEAD_MS },
    ...(isForbidden && { preValidation: async (_request, reply) => reply.code(401).send() })
  })
  const bundle = await readFile(pathOf('dist/browser/index.js'), 'utf8')
  app.get('/client.js', (_request, reply) => reply.type('text/javascript').send(bundle))
  app.get('/', (_request, reply) => reply.type('text/html').send(pageSource()))
  const proxy = await createDelayingProxy(t, await listen(app), way)
  const { page, problems } = await openPage(t, browser ?? '')
  await page.goto(`http://127.0.0.1:${proxy.port}/`)
  await page.waitForFunction(() => 'test' in window)
  return { app, proxy, page, problems }
}

function pageSource (): string {
  return `<!doctype html><title>A clock</title><link rel="icon" href="data:,">
    <script type="module">
      import { ServerClock } from '/client.js'
      const clock = new ServerClock()
      const events = []
      for (const name of ['open', 'close', 'step', 'refused']) {
        clock.addEventListener(name, () => events.push(name))
      }
      // Half a millisecond: what rounding down takes away on average.
      const truth = () => Date.now() + 0.5 + ${AHEAD_MS}
      window.test = { clock, truth, events }
    </script>`
}

async function read (page: Page): Promise<Reading> {
  return await page.evaluate(() => {
    const { clock, truth } = window.test
    const { error, rtt = NaN, state } = clock
    return { wrongMs: clock.now() - truth(), errorMs: error, rtt, state }
  })
}

declare global {
  interface Window {
    readonly test: ClockPage
  }
}
