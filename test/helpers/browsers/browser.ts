import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { t as file } from 'tap'

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

export interface PageOptions extends BrowserContextOptions {
  /** Opens a browser of its own, to which `localhost:2112`, the lecture's address, is this port. */
  timePort?: number
}

/** The headless shell is first: without a window, tests take half as long. */
const CHROMIUM_PATHS = [
  '/usr/bin/chromium-headless-shell',
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
/** For one step: less than tap grants a whole file. */
const LIMIT_MS = 180_000

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
  const installed = CHROMIUM_PATHS.find((path) => existsSync(path))
  if (installed !== undefined) return installed
  if (process.platform === 'linux' && process.arch === 'x64') {
    const { default: packaged } = await import('@sparticuz/chromium')
    return await packaged.executablePath()
  }
  if (CI === 'true') throw new Error('there is no browser: install Chromium or set BROWSER_PATH')
  return undefined
}

/**
 * Opens an empty page for as long as the test lasts. All tests of a file share a browser, which
 * takes seconds to start, and have a profile each.
 */
export async function openPage (
  t: Test, executablePath: string, { timePort, ...options }: PageOptions = {}
): Promise<ObservedPage> {
  const browser = timePort === undefined
    ? await openSharedBrowser(executablePath)
    : await launch(t, executablePath, [`--host-resolver-rules=MAP localhost:2112 127.0.0.1:${timePort}`])
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  const page = await context.newPage()
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

let sharedBrowser: Promise<Browser> | undefined

async function openSharedBrowser (executablePath: string): Promise<Browser> {
  sharedBrowser ??= launch(file, executablePath)
  return await sharedBrowser
}

async function launch (
  t: Test, executablePath: string, flags: readonly string[] = []
): Promise<Browser> {
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] })
  t.teardown(() => browser.close())
  return browser
}
