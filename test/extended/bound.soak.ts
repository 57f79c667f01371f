import { randomInt } from 'node:crypto'
import { test } from 'tap'
import { PROFILES } from '../helpers/simulation/profiles.js'
import { runClock } from '../helpers/simulation/run.js'

const CHECKS = 1_000_000
const HALF_HOUR_MS = 1_800_000
const FIRST_SEED = Number(process.env['SEED'] ?? randomInt(2 ** 31))
/** How coarse the device's clock is, and how far the difference of the two rates strays. */
const CLOCKS: readonly { resolutionMs?: number, wanderPpm?: number }[] = [
  {}, { wanderPpm: 5 }, { resolutionMs: 0.1, wanderPpm: 5 }, { resolutionMs: 1, wanderPpm: 5 }
]

test(`the bound holds ${CHECKS} times on any network`, { timeout: 1_200_000 }, async (t) => {
  const profiles = Object.entries(PROFILES)
  const found: string[] = []
  let checks = 0
  for (let seed = FIRST_SEED; checks < CHECKS; seed++) {
    for (const [name, profile] of profiles) {
      const clock = CLOCKS[seed % CLOCKS.length]
      const run = await runClock({ profile, seed, untilMs: HALF_HOUR_MS, ...clock })
      checks += run.errorsMs.length
      if (run.violations + run.backwardCount === 0) continue
      found.push(`SEED=${seed} ${name}: ${run.violations} violations, ${run.backwardCount} backwards`)
    }
  }
  t.comment(`${checks} checks, SEED=${FIRST_SEED}`)
  t.strictSame(found, [])
})
