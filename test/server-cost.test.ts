import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { outputOf } from './helpers/program.js'

const BENCH = fileURLToPath(new URL('../bench/server-cost.js', import.meta.url))

test('the benchmark of clocks measures, on real ports', async (t) => {
  const args = [BENCH, '--clients', '20', '--rounds', '1', '--json']
  const { sync, tick } = JSON.parse(await outputOf(process.execPath, args, { limitMs: 90_000 }))
  for (const [name, { median }] of Object.entries<{ median: number }>({ sync, tick })) {
    t.ok(median > 0.5 && median < 10_000, `${name}: ${median} µs`)
  }
})
