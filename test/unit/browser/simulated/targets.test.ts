import { test } from 'tap'
import { PROFILES } from '../../../helpers/simulation/profiles.js'
import type { ProfileName } from '../../../helpers/simulation/profiles.js'
import { runClock } from '../../../helpers/simulation/run.js'

/** How many simulations: `npm run test:extended` runs all of them. */
const SEEDS = process.env.SIMULATIONS === 'full' ? 10 : 2
/** Not one of those that the estimator was tuned with. */
const FIRST_SEED = 500_001
const HALF_HOUR_MS = 1_800_000

/** The 95th percentile of how wrong `now()` may be after a minute, on the default schedule. */
const targets: [name: ProfileName, p95Ms: number][] = [
  ['lan', 0.3], ['cable', 0.6], ['4g', 0.9], ['bufferbloat', 0.9], ['wifi', 0.6],
  ['satellite', 2.5]
]

for (const [name, p95Ms] of targets) {
  test(`on a network like ${name} the clock is within ${p95Ms} ms`, async (t) => {
    const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index)
    const runs = await Promise.all(seeds.map((seed) => {
      return runClock({ profile: PROFILES[name], seed, untilMs: HALF_HOUR_MS })
    }))
    const errorsMs = runs.flatMap((run) => run.errorsMs).sort((a, b) => a - b)
    const foundMs = Number(errorsMs[Math.floor(errorsMs.length * 0.95)])
    const bytes = runs.reduce((sum, run) => sum + run.syncBytesPerMinute, 0) / SEEDS
    const first = Math.max(...runs.map((run) => run.firstEstimateMs))
    t.comment(`p95 ${foundMs.toFixed(2)} ms, ${bytes.toFixed(0)} B/min, first +${first.toFixed(1)} ms`)
    t.ok(foundMs <= p95Ms, `p95 is ${foundMs} ms`)
    t.ok(bytes <= 350, `${bytes} bytes a minute`)
    t.ok(first <= 50, `the first estimate took a round trip and ${first} ms`)
    t.strictSame(runs.map((run) => [run.violations, run.backwardCount]), runs.map(() => [0, 0]))
  })
}

for (const [resolutionMs, wanderPpm] of [[0.1, 5], [1, 1], [1, 5]] as const) {
  const title = `counts in steps of ${resolutionMs} ms, and wanders by ${wanderPpm} ppm`
  test(`the error bound holds if the device's clock ${title}`, async (t) => {
    for (const [index, profile] of Object.values(PROFILES).entries()) {
      const seed = FIRST_SEED + 100 + index
      const options = { profile, seed, untilMs: HALF_HOUR_MS / 6, resolutionMs, wanderPpm }
      const { violations, backwardCount } = await runClock(options)
      t.strictSame([violations, backwardCount], [0, 0])
    }
  })
}
