import { test } from 'tap'
import { createLateness } from '../../../src/observability/lateness.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

function setUp () {
  const { timers, advance } = createFakeTime({ wallMs: 0 })
  return { lateness: createLateness(timers), advance }
}

test('is zero without ticks', async (t) => {
  t.strictSame(setUp().lateness.read(), { p50: 0, p99: 0, max: 0 })
})

test('gives median, 99th percentile and maximum, in milliseconds with two digits', async (t) => {
  const { lateness } = setUp()
  for (let count = 0; count < 980; count++) lateness.record(0.5)
  for (let count = 0; count < 19; count++) lateness.record(20)
  lateness.record(3000)
  const { p50, p99, max } = lateness.read()
  t.ok(Math.abs(p50 - 0.5) < 0.01, String(p50))
  t.ok(Math.abs(p99 - 20) < 0.3, String(p99))
  t.ok(Math.abs(max - 3000) < 50, String(max))
})

test('accepts any number, since the clock may step', async (t) => {
  const { lateness } = setUp()
  for (const lateMs of [-50, 0, 1e12]) lateness.record(lateMs)
  t.ok(lateness.read().max > 3_000_000)
})

test('remembers ticks for one to two minutes', async (t) => {
  const { lateness, advance } = setUp()
  lateness.record(100)
  advance(59_000)
  lateness.record(1)
  advance(59_000)
  t.ok(lateness.read().max > 90)
  advance(3000)
  lateness.record(2)
  t.ok(lateness.read().max > 90, 'the minute before')
  advance(60_000)
  t.ok(lateness.read().max < 3)
  advance(120_000)
  t.equal(lateness.read().max, 0)
})
