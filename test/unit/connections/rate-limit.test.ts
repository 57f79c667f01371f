import { test } from 'tap'
import { createRateLimit } from '../../../src/connections/rate-limit.js'
import type { Sender } from '../../../src/connections/rate-limit.js'

function setUp (burst: number, perSecond: number) {
  const sender: Sender = { quotaMs: undefined }
  const { takes } = createRateLimit({ burst, perSecond })
  /** How many of so many messages at this moment may pass. */
  return (nowMs: number, count: number) =>
    Array.from({ length: count }, () => takes(sender, nowMs)).filter(Boolean).length
}

test('lets a burst pass at once, and not one more', async (t) => {
  t.equal(setUp(20, 10)(1e9, 100), 20)
  t.equal(setUp(1, 10)(0, 5), 1)
  // Where a second is no whole number of them, and sums are rounded.
  t.equal(setUp(1000, 3)(1e9, 2000), 1000)
})

test('refills by and by, up to the burst', async (t) => {
  const pass = setUp(5, 10)
  t.equal(pass(0, 9), 5)
  t.equal(pass(99, 9), 0)
  t.equal(pass(100, 9), 1)
  t.equal(pass(450, 9), 3)
  t.equal(pass(60_000, 9), 5)
})

test('what may not pass costs nothing', async (t) => {
  const pass = setUp(1, 1)
  t.equal(pass(0, 1), 1)
  for (let nowMs = 10; nowMs < 1000; nowMs += 10) t.equal(pass(nowMs, 1), 0)
  t.equal(pass(1000, 1), 1)
})

test('keeps to the rate over any time, fractions included', async (t) => {
  const pass = setUp(3, 2.5)
  let count = 0
  for (let nowMs = 0; nowMs < 100_000; nowMs += 7) count += pass(nowMs, 1)
  t.ok(Math.abs(count - 253) <= 1, String(count))
})

test('tolerates what it does not let pass up to ten times the rate, in bursts too', async (t) => {
  const sender: Sender = { quotaMs: undefined }
  const limit = createRateLimit({ burst: 2, perSecond: 5 })
  /** How many pass, are left out, and are too much, from then on, each so long after the last. */
  const send = (count: number, startMs: number, everyMs: number) => {
    const counts = { passed: 0, leftOut: 0, tooMuch: 0 }
    for (let index = 0; index < count; index++) {
      const nowMs = startMs + index * everyMs
      if (limit.takes(sender, nowMs)) counts.passed++
      else if (limit.tolerates(sender, nowMs)) counts.leftOut++
      else counts.tooMuch++
    }
    return counts
  }
  t.strictSame(send(25, 0, 0), { passed: 2, leftOut: 18, tooMuch: 5 })
  // Full again, then for 10 s a little less and a little more than 50 a second.
  t.equal(send(490, 60_000, 1000 / 49).tooMuch, 0)
  const { passed, tooMuch } = send(600, 120_000, 1000 / 60)
  t.ok(passed === 51 && tooMuch > 50, `${passed}, ${tooMuch}`)
})

test('of one sender it remembers nothing of another', async (t) => {
  const limit = createRateLimit({ burst: 1, perSecond: 1 })
  const one: Sender = { quotaMs: undefined }
  const other: Sender = { quotaMs: undefined }
  for (let count = 0; count < 20; count++) limit.tolerates(one, 0)
  t.strictSame([limit.tolerates(one, 0), limit.tolerates(other, 0)], [false, true])
})

test('without a rate all may pass', async (t) => {
  const limit = createRateLimit(false)
  const sender: Sender = { quotaMs: undefined }
  t.ok(Array.from({ length: 1000 }, () => limit.takes(sender, 0)).every(Boolean))
  t.ok(limit.tolerates(sender, 0))
  t.equal(sender.quotaMs, undefined)
})
