import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { findBrowser } from '../browsers/browser.js'
import { openChromium } from './chromium.js'
import type { Driver, DriverOptions } from './driver.js'
import { FIREFOX, openFirefox } from './firefox.js'
import { MINI_BROWSER, openWebKit, WEBKIT_DRIVER, XVFB } from './webkit.js'

export type Engine = 'chromium' | 'firefox' | 'webkit'

export const ENGINES: readonly Engine[] = ['chromium', 'firefox', 'webkit']

/** A page in a browser of its own, for as long as the test lasts. */
export interface EnginePage extends Omit<Driver, 'evaluate'> {
  /**
   * Runs a function in the page, which can use nothing of its module.
   *
   * @returns what JSON can express of what it returns, or resolves with.
   */
  evaluate<Result> (action: () => Result): Promise<Awaited<Result>>
  evaluate<Argument, Result> (
    action: (argument: Argument) => Result, argument: Argument
  ): Promise<Awaited<Result>>
  /** Resolves once the condition holds in the page. @throws when it does not within a minute. */
  until (condition: () => unknown, what: string): Promise<void>
}

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** What Debian's packages install. */
const PROGRAMS = { firefox: [FIREFOX], webkit: [WEBKIT_DRIVER, MINI_BROWSER, XVFB] }
const PACKAGES = { firefox: 'firefox-esr', webkit: 'webkit2gtk-driver and xvfb' }
const POLL_MS = 50
const LIMIT_MS = 180_000

/**
 * Why tests of this engine are to be skipped; false if it is installed.
 *
 * @throws with `CI=true`, instead of having them skipped.
 */
export async function skipWithout (engine: Engine): Promise<string | false> {
  if (engine === 'chromium') return await findBrowser() === undefined && 'there is no Chromium'
  if (PROGRAMS[engine].every((path) => existsSync(path))) return false
  const message = `there is no ${engine}: install Debian's ${PACKAGES[engine]}`
  if (process.env.CI === 'true') throw new Error(message)
  return message
}

/** Opens a page in a browser of its own, for as long as the test lasts. */
export async function openEnginePage (
  t: Test, engine: Engine, url: string, options: DriverOptions = {}
): Promise<EnginePage> {
  const driver = await openDriver(engine, options)
  t.teardown(driver.close)

  async function evaluate<Result> (
    action: (argument: never) => Result, argument: unknown = null
  ): Promise<Awaited<Result>> {
    const call = `(${action})(${JSON.stringify(argument)})`
    return JSON.parse(await driver.evaluate(`(async () => JSON.stringify(await ${call} ?? null))()`))
  }

  await driver.goto(url)
  return {
    ...driver,
    evaluate,
    async until (condition, what) {
      const endMs = performance.now() + LIMIT_MS
      let cause: unknown
      for (;;) {
        // A page that is being left or restored cannot answer.
        const holds = await evaluate(condition).catch((error) => { cause = error })
        if (holds) return
        if (performance.now() > endMs) {
          throw new Error(`${what} did not happen in ${engine} within ${LIMIT_MS} ms`, { cause })
        }
        await sleep(POLL_MS)
      }
    }
  }
}

async function openDriver (engine: Engine, options: DriverOptions): Promise<Driver> {
  if (engine === 'chromium') return await openChromium(String(await findBrowser()))
  return engine === 'firefox' ? await openFirefox(options) : await openWebKit()
}
