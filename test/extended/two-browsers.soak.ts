/**
 * Two real browsers on one server: one near by; one far away, on a jittery network, whose device's
 * clock is seven minutes wrong, and which stands still for ten seconds. Prints a table.
 */
import { test } from 'tap'
import { runTwoPages } from '../helpers/browsers/two-pages.js'
import { describe, judge } from '../helpers/browsers/verdict.js'
import { findBrowser } from '../helpers/browsers/browser.js'

const browser = await findBrowser()
const skip = browser === undefined && 'no Chromium here: set BROWSER_PATH'

test('two pages agree on the time for a minute, and on every instant', { skip }, async (t) => {
  const result = await runTwoPages(t, {
    executablePath: String(browser), seconds: 60, frozenMs: 10_000
  })
  for (const line of describe(result)) t.comment(line)
  const { violations, disagreements, missed, closes } = judge(result)
  t.strictSame({ violations, disagreements, missed, closes }, {
    violations: 0, disagreements: 0, missed: 0, closes: 0
  })
})

test('two pages that sync over HTTP agree on the time for a minute', { skip }, async (t) => {
  const result = await runTwoPages(t, {
    executablePath: String(browser), seconds: 60, frozenMs: 10_000, transport: 'http'
  })
  for (const line of describe(result)) t.comment(line)
  const { violations, disagreements } = judge(result)
  t.strictSame({ violations, disagreements }, { violations: 0, disagreements: 0 })
})
