/** The short form of `npm run bench:browsers`: two real browsers, on real ports. */
import { t as file, test } from 'tap'
import { runTwoPages } from '../../helpers/browsers/two-pages.js'
import { describe, judge, quantile } from '../../helpers/browsers/verdict.js'
import { findBrowser } from '../../helpers/browsers/browser.js'

const FILE_LIMIT_MS = 600_000
file.setTimeout(FILE_LIMIT_MS)
// tap's runner reads this comment: otherwise it would kill this process at its own limit.
file.comment(`timeout=${FILE_LIMIT_MS}`)

/** How late the timers of a busy machine may be. */
const TIMER_MS = 1000

const browser = await findBrowser()
const skip = browser === undefined && 'no Chromium here: set BROWSER_PATH'

test('two pages far apart agree on the time and on an instant', { skip }, async (t) => {
  const result = await runTwoPages(t, {
    executablePath: String(browser), seconds: 10, frozenMs: 3000
  })
  for (const line of describe(result)) t.comment(line)
  const verdict = judge(result)
  t.equal(verdict.violations, 0, 'no reading is further off than it says')
  t.equal(verdict.disagreements, 0, 'no two differ by more than the sum of their bounds')
  t.ok(verdict.pairs >= 10, `${verdict.pairs} pairs`)
  t.ok(verdict.apart.length > 5, `${verdict.apart.length} messages came to both`)
  t.equal(verdict.missed, 0, 'none to one only')
  // Each has a timer besides, which a busy machine may hold up.
  const apartMs = quantile(verdict.apart, 0.5)
  t.ok(apartMs <= quantile(verdict.bounds, 0.5) + TIMER_MS, `${apartMs} ms apart`)
  t.ok(verdict.recoveredMs < 60_000, `${verdict.recoveredMs} ms after the thaw`)
})
