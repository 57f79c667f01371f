import { test } from 'tap'
import { createRateLimit } from '../src/rate-limit.js'
import type { Sender } from '../src/rate-limit.js'

function setUp (burst: number, perSecond: number) {
  const sender: Sender = { quotaMs: undefined }
  const takes = createRateLimit({ burst, perSecond })
  /** How many of so many messages at this moment may pass. */
  return (nowMs: number, count: number) =>
    Array.from({ length: count }, () => takes(sender, nowMs)).filter(Boolean).length
}

test('lets a burst pass at once, and not one more', async (t) => {
  t.equal(setUp(20, 10)(1e9, 100), 20)
  t.equal(setUp(1, 10)(0, 5), 1)
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
