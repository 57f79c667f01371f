import { test } from 'tap'
import { createRateLimit } from '../../../src/connections/rate-limit.js'

interface Sender {}

function createLimit (rate: Parameters<typeof createRateLimit>[0]) {
  return createRateLimit<Sender>(rate, new WeakMap<Sender, number>())
}

function setUp (burst: number, perSecond: number) {
  const sender = {}
  const { tryAcquire } = createLimit({ burst, perSecond })
  /** How many of `count` messages at this instant may pass. */
  return (nowMs: number, count: number) =>
    Array.from({ length: count }, () => tryAcquire(sender, nowMs)).filter(Boolean).length
}

test('lets a burst pass at once, and not one more', async (t) => {
  t.equal(setUp(20, 10)(1e9, 100), 20)
  t.equal(setUp(1, 10)(0, 5), 1)
  // A third of a second is no whole number of milliseconds: sums are rounded.
  t.equal(setUp(1000, 3)(1e9, 2000), 1000)
})

test('refills steadily, up to the burst', async (t) => {
  const pass = setUp(5, 10)
  t.equal(pass(0, 9), 5)
  t.equal(pass(99, 9), 0)
  t.equal(pass(100, 9), 1)
  t.equal(pass(450, 9), 3)
  t.equal(pass(60_000, 9), 5)
})

test('a message that may not pass takes no token', async (t) => {
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

test('the hard limit is ten times the rate, in bursts, too', async (t) => {
  const sender = {}
  const limit = createLimit({ burst: 2, perSecond: 5 })
  /** Sends `count` messages, one every `everyMs`: how many pass, are dropped, and are too many. */
  const send = (count: number, startMs: number, everyMs: number) => {
    const counts = { passed: 0, dropped: 0, tooMany: 0 }
    for (let index = 0; index < count; index++) {
      const nowMs = startMs + index * everyMs
      if (limit.tryAcquire(sender, nowMs)) counts.passed++
      else if (limit.withinHardLimit(sender, nowMs)) counts.dropped++
      else counts.tooMany++
    }
    return counts
  }
  t.strictSame(send(25, 0, 0), { passed: 2, dropped: 18, tooMany: 5 })
  // Full again, then for 10 s a little less and a little more than 50 a second.
  t.equal(send(490, 60_000, 1000 / 49).tooMany, 0)
  const { passed, tooMany } = send(600, 120_000, 1000 / 60)
  t.ok(passed === 51 && tooMany > 50, `${passed}, ${tooMany}`)
})

test('counts each sender separately', async (t) => {
  const limit = createLimit({ burst: 1, perSecond: 1 })
  const one = {}
  const other = {}
  for (let count = 0; count < 20; count++) limit.withinHardLimit(one, 0)
  t.strictSame([limit.withinHardLimit(one, 0), limit.withinHardLimit(other, 0)], [false, true])
})

test('lets every message pass if the rate is false, and keeps nothing', async (t) => {
  const quotas = new Map<Sender, number>()
  const limit = createRateLimit(false, quotas)
  const sender = {}
  t.ok(Array.from({ length: 1000 }, () => limit.tryAcquire(sender, 0)).every(Boolean))
  t.ok(limit.withinHardLimit(sender, 0))
  t.equal(quotas.size, 0)
})
