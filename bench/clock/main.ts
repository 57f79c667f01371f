import { writeFile } from 'node:fs/promises'
import { PROFILES } from '../../test/helpers/simulation/profiles.js'
import { readArguments } from './arguments.js'
import { drawClockChart } from './chart.js'
import { findInstalled } from './installed.js'
import { summarize, trace } from './measure.js'
import type { Result, Trace } from './measure.js'
import { traceSame } from './same-samples.js'
import { measureSize } from './sizes.js'
import { printTables } from './tables.js'

/** The network whose accidents are drawn. */
const CHART_PROFILE = 'bufferbloat'

const { seeds, minutes, profiles, json, svg, isSmoke } = readArguments()
const { contenders, filters } = await findInstalled()
const own: Result[] = []
const same: Result[] = []
const charted = new Map<string, Trace>()

for (const profile of profiles) {
  for (const contender of contenders) {
    const traces: Trace[] = []
    for (const seed of seeds) {
      progress(`${profile}: ${contender.name}, seed ${seed}`)
      traces.push(await trace(contender, PROFILES[profile], seed, minutes))
    }
    if (profile === CHART_PROFILE && traces[0]) charted.set(contender.name, traces[0])
    own.push(summarize(contender.name, profile, traces))
  }
  const runs: Trace[][] = []
  for (const seed of seeds) {
    progress(`${profile}: all estimators on the same samples, seed ${seed}`)
    runs.push(await traceSame(filters, PROFILES[profile], seed, minutes))
  }
  filters.forEach(({ name }, index) => {
    same.push(summarize(name, profile, runs.map((run) => run[index] as Trace)))
  })
}
progress('')

const sizes = new Map<string, number>()
for (const { name, module } of contenders) {
  const size = module && await measureSize(module)
  if (size) sizes.set(name, size)
}
printTables({ own, same, sizes, profiles })
if (json !== undefined) {
  const report = { seeds, minutes, own, same, sizes: Object.fromEntries(sizes) }
  await writeFile(json, JSON.stringify(report, null, 2) + '\n')
}
if (svg !== undefined) await writeFile(svg, drawClockChart(charted, minutes))
if (isSmoke && own.some(({ violations }) => Number(violations) > 0)) {
  process.stderr.write('our clock was off by more than it said\n')
  process.exitCode = 1
}

/** One line that changes, where somebody looks. */
function progress (text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, 79)}`)
}
