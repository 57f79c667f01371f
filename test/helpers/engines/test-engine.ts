import { t as file, test } from 'tap'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { RefusedDetail } from '../../../src/browser/index.js'
import { openEnginePage, skipWithout } from './engines.js'
import type { Engine, EnginePage } from './engines.js'
import { startJudge } from './judge.js'
import { startSite } from './site.js'
import { testElements } from './test-elements.js'
import { createDelayingProxy } from '../network/delaying-proxy.js'
import { createRestrictiveProxy } from '../network/restrictive-proxy.js'
import { waitFor } from '../network/wait.js'
import { startExample } from '../programs/example-process.js'

type World = Awaited<ReturnType<typeof createWorld>>

/** A network that is slower to the server, and one that is slower from it. */
const SLOW_UP = { up: { delayMs: 35, jitterMs: 5 }, down: { delayMs: 10, jitterMs: 5 } }
const SLOW_DOWN = { up: { delayMs: 10, jitterMs: 5 }, down: { delayMs: 35, jitterMs: 5 } }
/** Readings of each clock: there are five a second on an idle machine. */
const READINGS = 30
const CLOCK_NAMES = ['websocket', 'http', 'blocked', 'worker']
const REFUSALS: readonly [url: string, detail: RefusedDetail][] = [
  ['/guarded', { status: 401, code: 'SIGN_IN' }],
  ['/foreign', { status: 403, code: 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN' }],
  ['/full', { status: 429, code: 'FST_TIME_SOCKET_TOO_MANY_CLIENTS_FROM_IP' }],
  ['/moved', { status: 0, code: 'REDIRECTED' }],
  ['/missing', { status: 404, code: 'NOT_A_TIME_SOCKET' }]
]
const SUBTESTS: readonly [title: string, run: (t: Test, world: World) => Promise<void>][] = [
  ['the smallest page shows the time, and what is left', testSmallestPage],
  ['no clock breaks its bound, by any transport, in pages and workers', testAccuracy],
  ['a connection that is cut is opened again', testCut],
  ['a clock learns why it is refused', testRefusals],
  ['a page that is left holds no connection, and has one when it is back', testLeaving],
  ['the pages of the example work', testExample],
  ['the elements', testElements]
]

const LIMIT_MS = 600_000
file.setTimeout(LIMIT_MS)
// tap's runner reads this comment: otherwise it would kill this process at its own limit.
file.comment(`timeout=${LIMIT_MS}`)

/** Tests the client and the elements in an engine, in one browser: for about half a minute. */
export async function testEngine (engine: Engine): Promise<void> {
  const skip = await skipWithout(engine)
  test(`in ${engine}`, { skip }, async (t) => {
    const startedMs = performance.now()
    const world = await createWorld(t, engine)
    for (const [title, run] of SUBTESTS) await t.test(title, (t) => run(t, world))
    t.comment(`${engine}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  })
}

/** The page is opened without a delay; `near` and `far` lead to the same server. */
async function createWorld (t: Test, engine: Engine) {
  const site = await startSite(t)
  const near = await createDelayingProxy(t, site.port, SLOW_UP)
  const blocking = await createRestrictiveProxy(t, site.port, 'drop')
  const far = await createDelayingProxy(t, blocking.port, SLOW_DOWN)
  const judge = await startJudge(t, () => site.timeSocket.now())
  const origin = `http://127.0.0.1:${site.port}`
  const page = await openEnginePage(t, engine, `${origin}/`)
  return { ...site, engine, near, blocking, far, judge, origin, page }
}

async function testSmallestPage (t: Test, { page, timeSocket }: World): Promise<void> {
  await page.until(() => (
    document.querySelectorAll('[data-state=synced]').length === 2
  ), 'both elements being synced')
  const texts = await page.evaluate(() => ['server-time', 'server-countdown'].map((name) => (
    document.querySelector(name)?.shadowRoot?.querySelector('[part=time]')?.textContent ?? ''
  )))
  t.match(texts, [/\d+:\d\d:\d\d/, /\d days? \d\d:\d\d:\d\d$/])
  t.equal(timeSocket.clients.size, 0, 'without a connection')
  t.strictSame(page.problems, [])
}

async function testAccuracy (t: Test, world: World): Promise<void> {
  const { engine, page, judge, timeSocket, near, far, blocking } = world
  await openClockPage(page, `http://127.0.0.1:${near.port}`)
  const answer = async (name: string) => {
    await page.evaluate((names) => window.answerJudge(names), { name, judgeUrl: judge.urlOf(name) })
  }
  await openClock(page, 'websocket', '/time')
  await page.evaluate(() => {
    window.openClock({ name: 'http', url: '/time', options: { transport: 'http' } })
  })
  await openClock(page, 'blocked', `http://127.0.0.1:${far.port}/time`)
  for (const name of ['websocket', 'http', 'blocked']) await answer(name)
  await page.evaluate((judgeUrl) => {
    window.startWorker({ name: 'worker', url: '/time', options: {}, judgeUrl })
  }, judge.urlOf('worker'))
  await waitFor(() => CLOCK_NAMES.every((name) => judge.countOf(name) >= READINGS), 'the readings')

  t.comment(`| ${engine} | quick readings | off: p50, ms | p95 | max | ± p50 | ± max | beyond |`)
  for (const name of CLOCK_NAMES) {
    const { beyondCount, row } = judge.verdictOn(name)
    t.comment(`| ${name} ${row}`)
    t.equal(beyondCount, 0, `of ${name} beyond the bound`)
  }
  const transports = await page.evaluate(() => (
    ['websocket', 'http', 'blocked'].map((name) => window.clocks[name]?.clock.transport)
  ))
  t.strictSame(transports, ['websocket', 'http', 'http'])
  t.ok(blocking.upgradeCount > 0, 'a WebSocket was tried')
  t.equal(timeSocket.clients.size, 2, 'that of the page and that of the worker')
  // Nothing would tell it that its page goes into the back/forward cache.
  await page.evaluate(() => window.worker.terminate())
}

/** Continues with the page of the accuracy. */
async function testCut (t: Test, { page, near }: World): Promise<void> {
  near.cut()
  await page.until(() => {
    const { clock, events } = window.clocks.websocket ?? {}
    return events?.filter(({ type }) => type === 'open').length === 2 && clock?.synced
  }, 'the second connection')
  t.strictSame(await eventsOf(page, 'websocket'), ['open', 'close', 'open'])
}

async function testRefusals (t: Test, { page, port, origin, full }: World): Promise<void> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/full`)
  t.teardown(() => client.terminate())
  await waitFor(() => full.clients.size === 1, 'the only client that there is room for')
  await openClockPage(page, origin)
  for (const [url] of REFUSALS) await openClock(page, url, url)
  await page.until(() => Object.values(window.clocks).every(({ events }) => (
    events.some(({ type }) => type === 'refused')
  )), 'all refusals')
  const found = await page.evaluate(() => Object.entries(window.clocks).map(([url, { events }]) => (
    [url, events.find(({ type }) => type === 'refused')?.detail]
  )))
  t.strictSame(found, REFUSALS)
  const states = await page.evaluate(() => (
    ['/guarded', '/foreign'].map((url) => window.clocks[url]?.clock.state)
  ))
  t.strictSame(states, ['refused', 'refused'], 'for good')
  await page.until(() => window.clocks['/full']?.clock.transport === 'http', 'the time by HTTP')
}

async function testLeaving (t: Test, { engine, page, origin, timeSocket }: World): Promise<void> {
  await openClockPage(page, origin)
  await openClock(page, 'left', '/time')
  await page.until(() => window.clocks.left?.clock.synced, 'the first sync')
  await waitFor(() => timeSocket.clients.size === 1, 'one client')
  await page.goto(`${origin}/empty`)
  await waitFor(() => timeSocket.clients.size === 0, 'the connection being closed')
  await page.back()
  await page.until(() => window.isReady, 'the page being back')
  const isRestored = await page.evaluate(() => 'left' in window.clocks)
  t.comment(`${engine}: ${isRestored ? 'from the back/forward cache' : 'loaded anew'}`)
  if (!isRestored) await openClock(page, 'left', '/time')
  await page.until(() => window.clocks.left?.clock.state === 'open', 'the connection')
  t.strictSame(await eventsOf(page, 'left'), isRestored ? ['open', 'close', 'open'] : ['open'])
  await waitFor(() => timeSocket.clients.size === 1, 'one client again')
}

async function testExample (t: Test, { page }: World): Promise<void> {
  const { port } = await startExample(t, { PORT: '0', HOST: '127.0.0.1' })
  const origin = `http://127.0.0.1:${port}`
  const earlierCount = page.problems.length
  await page.goto(`${origin}/TimeSocketClient.html`)
  await page.until(() => document.getElementById('Details')?.textContent !== '', 'the script')
  await page.evaluate(() => document.getElementById('OpenB')?.click())
  await page.until(() => (
    document.getElementById('Message')?.textContent !== 'None yet'
  ), 'the greeting')
  for (const name of ['auction', 'clock']) {
    await page.goto(`${origin}/${name}.html`)
    await page.until(() => (
      /^± [\d.]+/.test(document.getElementById('Bound')?.textContent ?? '')
    ), `the bound in ${name}.html`)
  }
  t.strictSame(page.problems.slice(earlierCount), [])
}

async function openClockPage (page: EnginePage, origin: string): Promise<void> {
  await page.goto(`${origin}/clocks`)
  await page.until(() => window.isReady, 'the page of clocks')
}

async function openClock (page: EnginePage, name: string, url: string): Promise<void> {
  await page.evaluate((toOpen) => window.openClock(toOpen), { name, url, options: {} })
}

/** Without steps: on a busy machine the first bound is wide, and a better one moves the clock. */
async function eventsOf (page: EnginePage, name: string): Promise<string[]> {
  const types = await page.evaluate((name) => (
    window.clocks[name]?.events.map(({ type }) => type) ?? []
  ), name)
  return types.filter((type) => type !== 'step')
}
