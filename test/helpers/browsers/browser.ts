import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { BrowserContextOptions, Page } from 'playwright-core'

/** A page, and whatever went wrong in it so far. */
export interface ObservedPage {
  readonly page: Page
  /** Errors, warnings and failed requests, in order. */
  readonly problems: string[]
}

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
]
const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'
]
/** Less than tap grants a whole file. */
const LIMIT_MS = 60_000

/**
 * The path of a Chromium: `BROWSER_PATH`, else one that is installed, else that of
 * `@sparticuz/chromium`, which exists for Linux on x64.
 *
 * @throws when `BROWSER_PATH` names no file, and with `CI=true` when there is none at all.
 */
export async function findBrowser (): Promise<string | undefined> {
  const { BROWSER_PATH, CI } = process.env
  if (BROWSER_PATH !== undefined) {
    if (existsSync(BROWSER_PATH)) return BROWSER_PATH
    throw new Error(`BROWSER_PATH names no file: ${BROWSER_PATH}`)
  }
  const installed = USUAL_PATHS.find((path) => existsSync(path))
  if (installed !== undefined) return installed
  if (process.platform === 'linux' && process.arch === 'x64') {
    const { default: packaged } = await import('@sparticuz/chromium')
    return await packaged.executablePath()
  }
  if (CI === 'true') throw new Error('there is no browser: install Chromium or set BROWSER_PATH')
  return undefined
}

/**
 * Opens an empty page in a browser of its own, for as long as the test lasts.
 *
 * @param timePort what the browser takes for the lecture's address, `localhost:2112`.
 */
export async function openPage (
  t: Test, executablePath: string, timePort: number, options: BrowserContextOptions = {}
): Promise<ObservedPage> {
  const rules = `--host-resolver-rules=MAP localhost:2112 127.0.0.1:${timePort}`
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, rules] })
  t.teardown(() => browser.close())
  const page = await browser.newPage(options)
  page.setDefaultTimeout(LIMIT_MS)
  const problems: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text())
  })
  page.on('pageerror', (err) => problems.push(String(err)))
  page.on('requestfailed', (request) => problems.push(`request failed: ${request.url()}`))
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
  })
  return { page, problems }
}
