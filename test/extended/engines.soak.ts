/**
 * What three engines do to a page's clocks: hide the page, stop the browser, coarsen its clocks;
 * and an outage of a minute. OUTAGE_S=300 sets another length.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { t as file, test } from 'tap'
import type { Test } from 'tap'
import type { DriverOptions } from '../helpers/engines/driver.js'
import { kill } from '../helpers/engines/engine-process.js'
import { ENGINES, openEnginePage, skipWithout } from '../helpers/engines/engines.js'
import type { Engine } from '../helpers/engines/engines.js'
import { startJudge } from '../helpers/engines/judge.js'
import type { Judge } from '../helpers/engines/judge.js'
import { startSite } from '../helpers/engines/site.js'
import { createDelayingProxy } from '../helpers/network/delaying-proxy.js'

interface Scenario {
  readonly engine: Engine
  readonly options?: DriverOptions
  /** Before the clocks are opened. */
  readonly isHidden?: boolean
}

/** No reading of the server's clock depends on which server is asked. */
const clock = { now: () => performance.timeOrigin + performance.now() }
const NETWORK = { up: { delayMs: 35, jitterMs: 5 }, down: { delayMs: 10, jitterMs: 5 } }
const NAMES = ['websocket', 'http'] as const
const OUTAGE_S = Number(process.env['OUTAGE_S'] ?? 60)
/** Firefox's `performance.now()` and `Date.now()` in whole multiples of so many microseconds. */
const GRAINS_US = [16_667, 100_000]

const FILE_LIMIT_MS = 3_600_000
file.setTimeout(FILE_LIMIT_MS)
// tap's runner reads this comment: otherwise it would kill this process at its own limit.
file.comment(`timeout=${FILE_LIMIT_MS}`)

for (const engine of ENGINES) {
  const skip = await skipWithout(engine)

  test(`${engine}: a page that is hidden for 45 s keeps its bound`, { skip }, async (t) => {
    const { page, judge } = await openClocks(t, { engine, isHidden: true })
    t.equal(await page.evaluate(() => document.visibilityState), 'hidden')
    await sleep(45_000)
    checkBounds(t, engine, judge)
  })

  test(`${engine}: a browser that stands still for 10 s keeps its bound`, { skip }, async (t) => {
    const { page, judge } = await openClocks(t, { engine })
    await sleep(5000)
    const pids = page.pids()
    kill(pids, 'SIGSTOP')
    t.teardown(() => kill(pids, 'SIGCONT'))
    await sleep(10_000)
    kill(pids, 'SIGCONT')
    await sleep(10_000)
    await page.until(() => (
      Object.values(window.clocks).every(({ clock }) => clock.synced && clock.state === 'open')
    ), 'both clocks being in step')
    checkBounds(t, engine, judge)
  })

  test(`${engine}: clocks keep their bound in an outage, and find the server again`, { skip }, async (t) => {
    const { page, judge, site } = await openClocks(t, { engine })
    await sleep(5000)
    await site.close()
    await sleep(OUTAGE_S * 1000)
    const states = await page.evaluate(() => (
      Object.values(window.clocks).map(({ clock }) => clock.state === 'open')
    ))
    t.strictSame(states, [false, false])
    const restartedMs = performance.now()
    await startSite(t, { port: site.port, clock })
    for (const name of NAMES) {
      await page.until(name === 'http'
        ? () => window.clocks.http?.clock.state === 'open'
        : () => window.clocks.websocket?.clock.transport === 'websocket', `${name} being open`)
      t.comment(`${engine}, ${name}: open within ${seconds(restartedMs)} s`)
    }
    await sleep(5000)
    checkBounds(t, engine, judge)
  })
}

for (const grainUs of GRAINS_US) {
  const skip = await skipWithout('firefox')

  test(`firefox: clocks in steps of ${grainUs / 1000} ms keep the bound`, { skip }, async (t) => {
    const preferences = {
      'privacy.reduceTimerPrecision': true,
      'privacy.reduceTimerPrecision.unconditional': true,
      'privacy.resistFingerprinting': true,
      'privacy.resistFingerprinting.reduceTimerPrecision.microseconds': grainUs,
      'privacy.resistFingerprinting.reduceTimerPrecision.jitter': false
    }
    const { page, judge } = await openClocks(t, { engine: 'firefox', options: { preferences } })
    const grainMs = await page.evaluate(() => {
      const startMs = performance.now()
      let nowMs = startMs
      while (nowMs === startMs) nowMs = performance.now()
      return nowMs - startMs
    })
    t.comment(`a step of ${grainMs.toFixed(3)} ms`)
    t.ok(grainMs > grainUs / 1000 - 1)
    await sleep(30_000)
    checkBounds(t, 'firefox', judge)
  })
}

/** A page with a clock by each transport, which the judge asks. */
async function openClocks (t: Test, { engine, options, isHidden }: Scenario) {
  const site = await startSite(t, { clock })
  const proxy = await createDelayingProxy(t, site.port, NETWORK)
  const judge = await startJudge(t, clock.now)
  const page = await openEnginePage(t, engine, 'about:blank', options)
  if (isHidden) await page.hide()
  await page.goto(`http://127.0.0.1:${proxy.port}/clocks`)
  await page.until(() => window.isReady, 'the page of clocks')
  for (const name of NAMES) {
    await page.evaluate((toOpen) => window.openClock(toOpen),
      { name, url: '/time', options: { transport: name, sync: { every: 20_000 } } })
    await page.evaluate((names) => window.answerJudge(names), { name, judgeUrl: judge.urlOf(name) })
  }
  return { site, page, judge }
}

function checkBounds (t: Test, engine: Engine, judge: Judge): void {
  t.comment(`| ${engine} | quick readings | off: p50, ms | p95 | max | ± p50 | ± max | beyond |`)
  for (const name of NAMES) {
    const { count, beyondCount, row } = judge.verdictOn(name)
    t.comment(`| ${name} ${row}`)
    t.ok(count > 0, `${count} readings of ${name}`)
    t.equal(beyondCount, 0, `of ${name} beyond the bound`)
  }
}

function seconds (sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1)
}
