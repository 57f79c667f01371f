import { CLIENT_COUNT, compareWays } from './in-process.js'
import { describeMachine, formatMachine } from './machine.js'
import { startRunner } from './runner.js'
import { createRandom } from './statistics.js'

const PLUGIN = new URL('../dist/index.js', import.meta.url).href
const CONTENDER = { name: 'observed', file: 'observed.js', wire: 'websocket' }
const COMPARISONS = [
  ['observed', 'alone', 'listeners on all channels, and stats() at each broadcast'],
  ['again', 'alone', 'the same twice, for a control']
]

/** What it costs to be observed; README.md says how. */
const settings = { clientCount: CLIENT_COUNT, intervalMs: 0, plugin: PLUGIN }
const runner = await startRunner(CONTENDER, settings)
try {
  await runner.connect()
  console.log(formatMachine(describeMachine()))
  for (const [way, base, what] of COMPARISONS) {
    const { median, q1, q3 } = await compareWays(runner, createRandom(1), [way, base])
    console.log(`${what}: ${median.toFixed(2)} of the CPU [${q1.toFixed(2)}–${q3.toFixed(2)}]`)
  }
} finally {
  runner.stop()
}
