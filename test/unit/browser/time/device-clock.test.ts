import { test } from 'tap'
import { createQuantum } from '../../../../src/browser/time/device-clock.js'
import { createRandom } from '../../../helpers/fakes/random.js'

for (const quantumMs of [0.005, 0.02, 0.1, 1, 16.667, 16.67, 100]) {
  for (const [direction, round] of [['down', Math.floor], ['up', Math.ceil]] as const) {
    test(`finds the quantum of a clock that rounds ${direction} to ${quantumMs} ms`, async (t) => {
      const { read, ms } = createQuantum()
      const random = createRandom(1)
      let nowMs = 86_400_000 * random()
      for (let count = 0; count < 100_000; count++) {
        nowMs += 400 * random() ** 3
        read(round(nowMs / quantumMs) * quantumMs)
        if (count > 20 && Math.abs(ms() - quantumMs) > 1e-6) t.fail(`${count}: ${ms()}`)
      }
    })
  }
}

test('measures a quantum of a few microseconds for an unrounded clock', async (t) => {
  const { read, ms } = createQuantum()
  const random = createRandom(2)
  let nowMs = 0
  for (let count = 0; count < 20; count++) read(nowMs += 50 * random())
  t.ok(ms() < 0.02, `${ms()} ms`)
})

test('assumes the coarsest clock until two readings differ', async (t) => {
  const { read, ms } = createQuantum()
  const seen = [ms()]
  for (const localMs of [12, 12, 14]) {
    t.equal(read(localMs), localMs)
    seen.push(ms())
  }
  t.strictSame(seen, [100, 100, 100, 2])
})
