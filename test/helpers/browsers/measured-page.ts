import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { setDateWrong } from './wrong-date.js'
import { machineNow } from './truth.js'
import type { Truth } from './truth.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** What a clock said, and what was true. Milliseconds. */
export interface Reading {
  /** The server's time, truly. */
  readonly atMs: number
  /** By how much the page's clock was ahead of that. */
  readonly errorMs: number
  /** By how much it said that it may be wrong. */
  readonly boundMs: number
}

/** A message that was to take effect at `dueMs`; `atMs` is when it did. */
export interface Fall extends Reading {
  readonly dueMs: number
}

export interface Record {
  readonly readings: readonly Reading[]
  readonly falls: readonly Fall[]
  /** How often the connection has ended. */
  readonly closes: number
  /** By how much the comparison of the page's line of time with the machine's may be wrong. */
  readonly uncertainMs: number
}

/** A page that records what it shows. */
export interface MeasuredPage {
  /** Stops its renderer as a whole. @returns lets it go on. */
  freeze (): () => void
  /** How many hammers have fallen in it. */
  countFalls (): Promise<number>
  read (truth: Truth): Promise<Record>
}

/** As the page writes it: two looks at `performance.now()` around what the clock says. */
type RawReading = [beforeMs: number, nowMs: number, boundMs: number, afterMs: number]

interface RawRecord {
  readings: RawReading[]
  hammers: [dueMs: number, ...reading: RawReading][]
  closes: number
}

const FLAGS = ['--disable-gpu', '--no-first-run', '--disable-background-networking']
/** Who was held up for longer between two looks has read nothing. */
const HELD_UP_MS = 0.5
/** What Chromium takes off `performance.now()`. */
const GRAIN_MS = 0.1
const COMPARISONS = 20

export interface MeasuredPageOptions {
  port: number
  /** By how much the device's clock is wrong. */
  wrongMs: number
  transport: 'auto' | 'http'
}

/** Opens the page in a browser of its own, for as long as the test lasts. */
export async function openMeasuredPage (
  t: Test, executablePath: string, { port, wrongMs, transport }: MeasuredPageOptions
): Promise<MeasuredPage> {
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await setDateWrong(page, wrongMs)
  await page.goto(`http://127.0.0.1:${port}/?transport=${transport}`)
  await page.waitForFunction('window.record')
  const renderers = await findRenderers(browser)
  const signal = (name: NodeJS.Signals) => { for (const id of renderers) process.kill(id, name) }
  return {
    freeze () {
      signal('SIGSTOP')
      return () => signal('SIGCONT')
    },
    async countFalls () {
      return await page.evaluate('window.record.hammers.length') as number
    },
    async read (truth) {
      const startMs = await findStart(page)
      const uncertainMs = await compare(page, startMs)
      const { readings, hammers, closes } = await page.evaluate('window.record') as RawRecord
      const judge = ([beforeMs, nowMs, boundMs]: RawReading): Reading => {
        const atMs = truth.at(startMs + beforeMs)
        return { atMs, errorMs: nowMs - atMs, boundMs }
      }
      const isSound = ([beforeMs, , , afterMs]: RawReading) => afterMs - beforeMs < HELD_UP_MS
      return {
        readings: readings.filter(isSound).map(judge),
        falls: hammers.map(([dueMs, ...reading]) => ({ dueMs, ...judge(reading) })),
        closes,
        uncertainMs: uncertainMs + GRAIN_MS
      }
    }
  }
}

async function findRenderers (browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
}

/** When the page's `performance.now()` was zero, on the machine's line of time. */
async function findStart (page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const { metrics } = await session.send('Performance.getMetrics')
  const start = metrics.find(({ name }) => name === 'NavigationStart')
  if (start === undefined) throw new Error('the browser does not say when the page began')
  return start.value * 1000
}

/**
 * Asks the page for its `performance.now()`: that lies between two looks at ours.
 *
 * @returns by how much it did not, at worst.
 */
async function compare (page: Page, startMs: number): Promise<number> {
  let worstMs = 0
  for (let count = 0; count < COMPARISONS; count++) {
    const beforeMs = machineNow()
    const pageMs = startMs + await page.evaluate(() => performance.now())
    worstMs = Math.max(worstMs, beforeMs - pageMs, pageMs - machineNow())
  }
  return worstMs
}
