import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { t as file, test } from 'tap'
import { findBrowser, openPage } from '../../helpers/browsers/browser.js'
import { inspect } from '../../helpers/browsers/inspection.js'
import { shareExample } from '../../helpers/programs/example-process.js'

declare global {
  interface Window {
    labels: string[]
  }
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const LIMIT_MS = 180_000
const FILE_LIMIT_MS = 600_000

file.setTimeout(FILE_LIMIT_MS)
// tap's runner reads this comment: otherwise it would kill this process at its own limit.
file.comment(`timeout=${FILE_LIMIT_MS}`)

const browser = await findBrowser()
const skip = browser === undefined && 'no Chromium here: set BROWSER_PATH'

test('the clock page draws the state of the clock, and survives a lost connection', { skip }, async (t) => {
  const origin = await findOrigin()
  const { page, problems } = await openPage(t, String(browser), { reducedMotion: 'reduce' })
  await page.addInitScript(recordLabels)
  await page.goto(`${origin}/clock.html`, { timeout: LIMIT_MS })
  await shows(page, 'Status', 'In step by a WebSocket')
  await shows(page, 'Bound', /^± [\d.]+ m?s at most$/)
  await shows(page, 'CorridorText', /^±\s[\d.]+ ms now, between/)
  await shows(page, 'RoundTripsText', /^The latest of \d+ took/)
  await shows(page, 'DeviceText', /compared with the server’s\.$/)
  t.equal(await page.locator('canvas').count(), 3)
  t.match(await textOf(page, 'server-time'), /^\d\d:\d\d:\d\d$/)
  t.match(await textOf(page, 'server-countdown'), /^0[01]:\d\d$/)
  t.strictSame(await inspect(page, 'clock'), [])
  const labels = await page.evaluate(() => [...new Set(window.labels)])
  t.ok(labels.some((label) => /^\d\d:\d\d:\d\d$/.test(label)), String(labels))
  t.strictSame(labels.filter((label) => !/^(\d\d:\d\d:\d\d|-?[\d.]+ ms)$/.test(label)), [])

  await page.getByRole('button', { name: 'Cut the connection' }).press('Enter')
  await shows(page, 'Status', 'Cut: the clock runs on, and its bound grows')
  t.equal(await page.evaluate(() => document.activeElement?.id), 'OpenB', 'the focus moves on')
  t.match(await page.locator('server-time').getAttribute('data-state'), 'offline')
  await page.getByRole('button', { name: 'Open it again' }).press('Enter')
  await shows(page, 'Status', 'In step by a WebSocket')
  await page.getByRole('button', { name: 'Switch to HTTP' }).click()
  await shows(page, 'Status', 'In step by HTTP')
  await page.locator('server-time[data-state=synced]').waitFor({ timeout: LIMIT_MS })
  // A clock that is closed gives up the request it has under way.
  const isGivenUp = (problem: string) => problem === `request failed: ${origin}/time`
  t.strictSame(problems.filter((problem) => !isGivenUp(problem)), [])
})

for (const name of ['clock', 'auction', 'TimeSocketClient']) {
  test(`axe finds nothing wrong with ${name}.html, light and narrow or dark and wide`, { skip }, async (t) => {
    const origin = await findOrigin()
    const { page } = await openPage(t, String(browser), { reducedMotion: 'reduce' })
    await page.goto(`${origin}/${name}.html`, { timeout: LIMIT_MS })
    if (name !== 'TimeSocketClient') await shows(page, 'Bound', /^±/)
    await page.evaluate(await readFile(AXE, 'utf8'))
    // No style depends on both, and a run of axe takes a second.
    for (const [colorScheme, width] of [['light', 390], ['dark', 1280]] as const) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 720 })
      t.strictSame(await findViolations(page), [], `${colorScheme}, ${width} px`)
    }
  })
}

test('the pages link to each other', { skip }, async (t) => {
  const origin = await findOrigin()
  const { page } = await openPage(t, String(browser))
  const names = ['TimeSocketClient', 'auction', 'clock']
  for (const name of names) {
    await page.goto(`${origin}/${name}.html`, { timeout: LIMIT_MS })
    const links = await page.locator('a').evaluateAll((found) => (
      found.map((link) => link.getAttribute('href') ?? '')
    ))
    const others = names.filter((other) => other !== name).map((other) => `./${other}.html`)
    t.strictSame(links.sort(), others.sort(), name)
  }
})

/** @returns the origin of the example, which no test changes. */
async function findOrigin (): Promise<string> {
  const { port } = await shareExample()
  return `http://localhost:${port}`
}

/** Runs in the page, before its scripts: records what is written on the canvases of the plots. */
function recordLabels (): void {
  window.labels = []
  const { fillText } = CanvasRenderingContext2D.prototype
  CanvasRenderingContext2D.prototype.fillText = function (...args) {
    window.labels.push(args[0])
    fillText.apply(this, args)
  }
}

/** Runs axe-core in the page. @returns the rules that are broken, each with where. */
async function findViolations (page: Page): Promise<string[]> {
  return await page.evaluate(async () => {
    const { violations } = await Reflect.get(window, 'axe').run()
    return violations.map(({ id, nodes }: { id: string, nodes: { html: string }[] }) => (
      `${id}: ${nodes.map(({ html }) => html).join(' ')}`
    ))
  })
}

/** The text of an element's part `time`. */
async function textOf (page: Page, tag: string): Promise<string> {
  return await page.locator(tag).evaluate((element) => (
    element.shadowRoot?.querySelector('[part=time]')?.textContent ?? ''
  ))
}

/** Waits until an element shows this text. */
async function shows (page: Page, id: string, text: string | RegExp): Promise<void> {
  await page.locator(`#${id}`).and(page.getByText(text)).waitFor({ timeout: LIMIT_MS })
}
