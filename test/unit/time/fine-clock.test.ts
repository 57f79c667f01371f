import { test } from 'tap'
import { createFineClock } from '../../../src/time/fine-clock.js'
import { createWallClock } from '../../../src/time/wall-clock.js'
import type { Tick } from '../../../src/api/content.js'
import { createTicker } from '../../../src/time/tick-schedule.js'
import { systemTimers } from '../../../src/util/timers.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'
import { createRandom } from '../../helpers/fakes/random.js'

const START_MS = 1_795_262_400_000
/** What is left over when such times are added. */
const ROUNDING_MS = 0.001

/** A machine whose clock shows whole milliseconds. `errorMs`: how far the fine one is ahead. */
function setUp (fraction: number) {
  const time = createFakeTime({ wallMs: START_MS + fraction, floored: true })
  let trueOffsetMs = START_MS + fraction
  const fine = createFineClock({ coarse: time.clock, timers: time.timers })
  const random = createRandom(Math.round(fraction * 1000) + 1)
  return {
    time,
    fine,
    errorMs: () => fine.now() - trueOffsetMs - time.timers.monotonic(),
    step (ms: number) {
      time.step(ms)
      trueOffsetMs += ms
    },
    /** Reads the clock now and then for so long. @returns its errors. */
    errorsDuring (ms: number): number[] {
      const endMs = time.timers.monotonic() + ms
      const errors = []
      while (time.timers.monotonic() < endMs) {
        time.advance(50 * random())
        errors.push(fine.now() - trueOffsetMs - time.timers.monotonic())
      }
      return errors
    }
  }
}

for (const fraction of [0, 0.1, 0.37, 0.5, 0.73, 0.999]) {
  test(`is behind by 0.2 ms at most after a second, never ahead, at ${fraction}`, async (t) => {
    const { errorsDuring } = setUp(fraction)
    const first = errorsDuring(1000)
    t.ok(Math.min(...first) > -1 - ROUNDING_MS && Math.max(...first) <= ROUNDING_MS, String(first))
    const errors = errorsDuring(60_000)
    const [min, max] = [Math.min(...errors), Math.max(...errors)]
    t.ok(min >= -0.2 && max <= ROUNDING_MS, `from ${min} to ${max} ms`)
  })
}

test('never runs back while the coarse clock does not', async (t) => {
  const { fine, time } = setUp(0.6)
  const random = createRandom(3)
  let lastMs = -Infinity
  for (let count = 0; count < 20_000; count++) {
    time.advance(random() < 0.01 ? 500 * random() : random())
    const nowMs = fine.now()
    if (nowMs < lastMs) t.fail(`${lastMs}, then ${nowMs}`)
    lastMs = nowMs
  }
  t.ok(lastMs > START_MS)
})

for (const stepMs of [-3_600_000, -50, -20, -1.3, 1.3, 20, 50, 3_600_000]) {
  test(`follows a step of ${stepMs} ms at once to the millisecond, and soon to a fraction`, async (t) => {
    const { errorsDuring, errorMs, step, time } = setUp(0.25)
    errorsDuring(2000)
    step(stepMs)
    const error = errorMs()
    t.ok(error > -1 - ROUNDING_MS && error <= ROUNDING_MS, `${error} ms`)
    time.advance(10)
    const later = errorMs()
    t.ok(later >= -0.3 && later <= ROUNDING_MS, `${later} ms`)
  })
}

for (const [title, stepMs, clockSteps] of [
  ['a move of 48 ms', 48, 0], ['a step of 52 ms forward', 52, 1], ['a step of 52 ms back', -52, 1],
  ['a step of an hour', 3_600_000, 1]
] as const) {
  test(`the server's clock counts ${title} as ${clockSteps} steps, once`, async (t) => {
    const { fine, step, time } = setUp(0.5)
    const clock = createWallClock({
      source: fine, timers: time.timers, outageLog: createFakeOutageLog()
    })
    for (let count = 0; count < 5; count++) {
      clock.readClocks()
      time.advance(700)
    }
    step(stepMs)
    for (let count = 0; count < 5; count++) {
      clock.readClocks()
      t.equal(clock.clockSteps, clockSteps)
      time.advance(700)
    }
  })
}

test('a drift of 50 ppm does not increase the error', async (t) => {
  for (const drift of [-50e-6, 50e-6]) {
    const time = createFakeTime({ wallMs: 0 })
    const trueMs = () => START_MS + time.timers.monotonic() * (1 + drift)
    const coarse = { now: () => Math.floor(trueMs()) }
    const fine = createFineClock({ coarse, timers: time.timers })
    const random = createRandom(5)
    const errors = Array.from({ length: 5000 }, () => {
      time.advance(50 * random())
      return fine.now() - trueMs()
    }).slice(50)
    const [min, max] = [Math.min(...errors), Math.max(...errors)]
    t.ok(min >= -0.25 && max <= ROUNDING_MS, `from ${min} to ${max} ms`)
  }
})

test('a stall between two readings does no harm', async (t) => {
  const time = createFakeTime({ wallMs: START_MS + 0.4, floored: true })
  let heldMs = 0
  const fine = createFineClock({
    coarse: {
      now () {
        const nowMs = time.clock.now()
        time.stall(heldMs)
        return nowMs
      }
    },
    timers: time.timers
  })
  const random = createRandom(9)
  for (let count = 0; count < 300; count++) {
    time.advance(10 * random())
    heldMs = count < 100 ? 0 : 30 * random()
    const error = fine.now() - START_MS - 0.4 - time.timers.monotonic()
    // Such readings say next to nothing: what is known from before is less and less certain.
    if (count >= 100) t.ok(error >= -0.5 && error <= ROUNDING_MS, `${error} ms`)
  }
})

test('leaves no timer behind, even if it never sees the end of a millisecond', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const fine = createFineClock({ coarse: { now: () => START_MS }, timers: time.timers })
  fine.now()
  t.equal(time.pendingCount, 1)
  fine.now()
  t.equal(time.pendingCount, 1, 'one at a time')
  time.advance(5)
  t.equal(time.pendingCount, 0)
})

test('ticks by this clock are never early, and sent is never before at', async (t) => {
  const time = createFakeTime({ wallMs: START_MS + 0.81, floored: true, jitterMs: () => -0.9 })
  const { timers } = time
  const fine = createFineClock({ coarse: time.clock, timers })
  const ticks: Tick[] = []
  const ticker = createTicker({
    clock: createWallClock({ source: fine, timers, outageLog: createFakeOutageLog() }),
    timers,
    intervalMs: 1000,
    isBusy: () => false,
    onMissed () {},
    onTick (tick) {
      ticks.push(tick)
      t.ok(time.clock.now() >= tick.at && tick.sent >= tick.at)
      const lateMs = START_MS + 0.81 + timers.monotonic() - tick.at
      t.ok(lateMs < 0.6, `${lateMs} ms late`)
    }
  })
  ticker.start()
  time.advance(30_500)
  t.strictSame(ticks.map(({ at }) => at - START_MS), ticks.map((_, index) => 1000 * (index + 1)))
  t.equal(ticks.length, 30)
})

test('agrees with Date.now to the millisecond on real clocks', async (t) => {
  const fine = createFineClock({ coarse: Date, timers: systemTimers })
  const wrong = []
  for (let count = 0; count < 100_000; count++) {
    const [beforeMs, fineMs, afterMs] = [Date.now(), fine.now(), Date.now()]
    if (fineMs < beforeMs || fineMs >= afterMs + 1) wrong.push(fineMs - beforeMs)
    if (count % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  t.strictSame(wrong, [])
})
