import { test } from 'tap'
import { outputOf } from '../../helpers/programs/program.js'
import { pathOf } from '../../helpers/root.js'

const BENCH = pathOf('bench/server-cost.js')

test('the benchmark of clocks measures, on real ports', async (t) => {
  const args = [BENCH, '--clients', '20', '--rounds', '1', '--json']
  const { sync, tick } = JSON.parse(await outputOf(process.execPath, args, { limitMs: 90_000 }))
  for (const [name, { median }] of Object.entries<{ median: number }>({ sync, tick })) {
    t.ok(median > 0.5 && median < 10_000, `${name}: ${median} µs`)
  }
})
