/* global MutationObserver */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { chromium } from 'playwright-core'
import timeSocket from '../dist/index.js'
import { describeMachine, formatMachine } from './machine.js'
import { runProgram } from './program.js'

const USAGE = `node bench/elements.js [options]
  --elements N,M  how many elements the pages have (1,100)
  --seconds N     how long each page is watched (60)
  --smoke         5 s of each
  --help          this text`

const BROWSERS = [
  process.env.BROWSER_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome', '/opt/google/chrome/chrome', '/usr/bin/chromium-headless-shell'
]
const FLAGS = ['--disable-gpu', '--no-first-run', '--disable-background-networking']
const CATEGORIES = ['blink.user_timing', 'devtools.timeline']
/** In the trace, when a frame of the page reaches the display. */
const PRESENTED = 'AnimationFrame::Presentation'
/** Marks a repaint in the trace. */
const MARK = 'second'
const SMOKE_SECONDS = 5
const SETTLING_MS = 2000

runProgram({
  usage: USAGE,
  options: {
    elements: { type: 'string', default: '1,100' },
    seconds: { type: 'string', default: '60' },
    smoke: { type: 'boolean', default: false }
  },
  main
})

/** Measures how late `<server-time>` shows a new second in Chromium; README.md says how. */
async function main (values) {
  const executablePath = BROWSERS.find((path) => path && existsSync(path))
  if (executablePath === undefined) throw new Error('there is no Chromium: set BROWSER_PATH')
  const seconds = values.smoke ? SMOKE_SECONDS : Number(values.seconds)
  console.log(`${formatMachine(describeMachine())}
| elements | seconds | text changed: p50, ms | p99 | max | presented: p50, ms | p99 | max |
|---|---|---|---|---|---|---|---|`)
  for (const count of values.elements.split(',').map(Number)) {
    console.log(formatRow(count, await watch(executablePath, count, seconds)))
  }
}

/** @returns for each second by how many ms its text came late, and the frame that shows it. */
async function watch (executablePath, count, seconds) {
  const app = fastify({ forceCloseConnections: true })
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  try {
    await app.register(timeSocket, { interval: 1000 })
    app.get('/', (_request, reply) => reply.type('text/html').send(pageOf(count)))
    const page = await browser.newPage()
    await page.goto(await app.listen({ host: '127.0.0.1', port: 0 }))
    const states = `document.querySelectorAll('server-time[data-state=synced]').length === ${count}`
    await page.waitForFunction(states)
    await sleep(SETTLING_MS)
    await browser.startTracing(page, { categories: CATEGORIES })
    await page.evaluate(recordRepaints, { count, mark: MARK })
    await sleep(seconds * 1000)
    const lateness = await page.evaluate('lateness')
    const { traceEvents } = JSON.parse(await browser.stopTracing())
    return judge(lateness, traceEvents)
  } finally {
    await browser.close()
    await app.close()
  }
}

function pageOf (count) {
  return `<!doctype html><title>Elements</title><link rel="icon" href="data:,">
    <script type="module" src="/time/elements.js"></script>
    ${'<server-time></server-time>\n'.repeat(count)}`
}

/** Runs in the page: marks each second once all elements show it, and keeps how late that was. */
function recordRepaints ({ count, mark }) {
  const elements = [...document.querySelectorAll('server-time')]
  const { clock } = elements[0]
  let changeCount = 0
  window.lateness = []
  const observer = new MutationObserver((records) => {
    changeCount += records.length
    if (changeCount < count) return
    changeCount = 0
    performance.mark(mark)
    window.lateness.push(clock.now() % 1000)
  })
  for (const { shadowRoot } of elements) {
    observer.observe(shadowRoot.querySelector('[part=time]'), { childList: true })
  }
}

/** A second is presented with the first frame that is presented after its mark. */
function judge (lateness, events) {
  const micros = (isWanted) => events.filter(isWanted).map(({ ts }) => ts).sort((a, b) => a - b)
  const marks = micros(({ name, cat }) => name === MARK && cat.includes('blink.user_timing'))
  const frames = micros(({ name }) => name === PRESENTED)
  const presented = lateness.flatMap((changedMs, index) => {
    const frame = frames.find((ts) => ts >= marks[index])
    const isOfThisSecond = frame < (marks[index + 1] ?? Infinity)
    return isOfThisSecond ? [changedMs + (frame - marks[index]) / 1000] : []
  })
  return { changed: lateness, presented }
}

function formatRow (count, { changed, presented }) {
  const cells = [changed, presented].flatMap((values) => (
    [0.5, 0.99, 1].map((share) => quantile(values, share))
  ))
  return `| ${count} | ${changed.length} | ${cells.map((ms) => ms.toFixed(1)).join(' | ')} |`
}

/** The smallest value that this share of all does not exceed. */
function quantile (values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}
