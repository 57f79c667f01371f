import { test } from 'tap'
import { createWallClock } from '../../../src/time/wall-clock.js'
import { createTicker } from '../../../src/time/tick-schedule.js'
import type { Tick } from '../../../src/api/content.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'
import { createRandom } from '../../helpers/fakes/random.js'
import type { FakeTimeOptions } from '../../helpers/fakes/fake-time.js'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** A whole multiple of every interval used here. */
const START_MS = 1_795_262_400_000

interface SetUpOptions extends Partial<FakeTimeOptions> {
  intervalMs: number
  onTick?: (tick: Tick) => void
}

function setUp ({ intervalMs, onTick, ...timeOptions }: SetUpOptions) {
  const time = createFakeTime({ wallMs: START_MS, ...timeOptions })
  const ticks: Tick[] = []
  let failing = false
  let busy = false
  let missed = 0
  const source = { now: () => failing ? NaN : time.clock.now() }
  const clock = createWallClock({ source, timers: time.timers, outageLog: createFakeOutageLog() })
  const ticker = createTicker({
    clock,
    timers: time.timers,
    intervalMs,
    isBusy: () => busy,
    onTick (tick) {
      ticks.push(tick)
      onTick?.(tick)
    },
    onMissed (count) { missed += count }
  })
  return {
    time,
    ...time,
    clock,
    ticker,
    ticks,
    missed: () => missed,
    ats: () => ticks.map(({ at }) => at - START_MS),
    failClock (value: boolean) { failing = value },
    setBusy (value: boolean) { busy = value }
  }
}

/** What a boundary-by-boundary schedule would be. */
function boundaries (firstMs: number, count: number, intervalMs: number): number[] {
  return Array.from({ length: count }, (_, index) => firstMs + index * intervalMs)
}

const days: [title: string, options: SetUpOptions][] = [
  ['exact timers', { intervalMs: 5000 }],
  ['timers that fire up to 1 ms early', { intervalMs: 1000, jitterMs: createJitter(-1, 0) }],
  ['timers as early and late as Node\'s', { intervalMs: 5000, jitterMs: createJitter(-1, 1.1) }],
  ['a clock of whole milliseconds', { intervalMs: 5000, floored: true, jitterMs: createJitter(-1, 1.1) }],
  ['an interval below a second', { intervalMs: 900, jitterMs: createJitter(-1, 0) }],
  ['an interval that does not divide a second', { intervalMs: 7001 }]
]

function createJitter (minMs: number, maxMs: number): () => number {
  const random = createRandom(7)
  return () => minMs + random() * (maxMs - minMs)
}

for (const [title, options] of days) {
  test(`sends every boundary of a day once, in order and never early, with ${title}`, async (t) => {
    const { intervalMs } = options
    const { ticker, advance, ticks, clock } = setUp(options)
    ticker.start()
    advance(DAY_MS)

    const firstMs = Math.floor(START_MS / intervalMs) * intervalMs + intervalMs
    const dueCount = Math.floor((clock.now() - firstMs) / intervalMs) + 1
    t.ok(dueCount - ticks.length <= 1, `${ticks.length} of ${dueCount}: the last may be on its way`)
    const wrong = ticks.findIndex(({ at, seq, clockSteps }, index) =>
      at !== firstMs + index * intervalMs || seq !== index || clockSteps !== 0)
    t.equal(ticks[wrong], undefined)
    const lateness = ticks.map(({ sent, at }) => sent - at)
    const [minMs, maxMs] = [lateness.reduce(least), lateness.reduce(greatest)]
    t.ok(minMs >= 0 && maxMs <= 2.2, `${minMs} to ${maxMs} ms late`)
  })
}

function least (one: number, other: number): number {
  return Math.min(one, other)
}

function greatest (one: number, other: number): number {
  return Math.max(one, other)
}

test('is exact to a turn of the event loop if the interval is a second or more', async (t) => {
  const { ticker, advance, ticks } = setUp({ intervalMs: 1000, jitterMs: createJitter(-1, 1.1) })
  ticker.start()
  advance(HOUR_MS)
  t.ok(ticks.length >= 3599)
  t.ok(Math.max(...ticks.map(({ sent, at }) => sent - at)) <= 0.25)
})

test('has the boundary, the time of sending and the interval', async (t) => {
  const { ticker, advance, ticks } = setUp({ intervalMs: 250, wallMs: START_MS + 100.5 })
  ticker.start()
  advance(250)
  t.strictSame(ticks, [
    { seq: 0, at: START_MS + 250, sent: START_MS + 250.5, interval: 250, clockSteps: 0 }
  ])
  t.equal(ticker.lastTick, ticks[0])
})

test('does not drift however long onTick takes', async (t) => {
  const time = setUp({ intervalMs: 1000, onTick: () => time.stall(300) })
  time.ticker.start()
  time.advance(10_000)
  t.strictSame(time.ats(), boundaries(1000, 10, 1000))
})

test('sends one tick, the latest, after a stall of 7.3 periods, then continues as before', async (t) => {
  const { ticker, advance, stall, ats, ticks } = setUp({ intervalMs: 1000 })
  ticker.start()
  advance(2000)
  stall(7300)
  advance(2700)
  t.strictSame(ats(), [1000, 2000, 9000, 10_000, 11_000, 12_000])
  t.strictSame(ticks.map(({ seq }) => seq), [0, 1, 2, 3, 4, 5])
  t.equal(ticks[2]?.sent, START_MS + 9300)
  t.ok(ticks.every(({ clockSteps }) => clockSteps === 0), 'a stall is no step')
})

for (const [title, stepMs] of [
  ['a second forward', 1000], ['a second back', -1000], ['an hour forward', HOUR_MS],
  ['an hour back', -HOUR_MS], ['51 ms forward', 51], ['51 ms back', -51]
] as const) {
  test(`notices a step of ${title} within a second and continues from there`, async (t) => {
    const { ticker, advance, step, clock, ticks } = setUp({ intervalMs: 5000 })
    ticker.start()
    advance(7500)
    t.equal(clock.clockSteps, 0)
    step(stepMs)
    advance(1000)
    t.equal(clock.clockSteps, 1)
    advance(10_000)
    const nowMs = START_MS + 18_500 + stepMs
    const afterMs = Math.ceil((START_MS + 7500 + stepMs + 1) / 5000) * 5000
    const expected = boundaries(afterMs, Math.floor((nowMs - afterMs) / 5000) + 1, 5000)
    t.strictSame(ticks.slice(1).map(({ at }) => at), expected)
    t.ok(ticks.slice(1).every(({ sent, at, clockSteps }) =>
      clockSteps === 1 && sent >= at && sent - at < 3))
    t.strictSame(ticks.map(({ seq }) => seq), boundaries(0, ticks.length, 1))
  })
}

for (const intervalMs of [10, 100, 1000, 5000]) {
  test(`ticks go on every ${intervalMs} ms when the wall clock steps by hours, days or seconds`, async (t) => {
    const { ticker, advance, step, ticks, timers } = setUp({ intervalMs })
    ticker.start()
    const back = -Math.max(intervalMs, 1000)
    const steps = [-HOUR_MS, 25 * HOUR_MS, ...Array<number>(20).fill(back)]
    const sentMs: number[] = []
    for (const stepMs of steps) {
      step(stepMs)
      for (let ms = 0; ms < 3 * intervalMs; ms++) {
        const count = ticks.length
        advance(1)
        if (ticks.length > count) sentMs.push(timers.monotonic())
      }
    }
    const gaps = sentMs.slice(1).map((ms, index) => ms - Number(sentMs[index]))
    t.equal(gaps.length + 1, 3 * steps.length)
    t.strictSame(gaps.filter((ms) => Math.abs(ms - intervalMs) > 2), [])
    t.equal(ticks.at(-1)?.clockSteps, steps.length)
  })
}

test('sends no boundary twice if the clock steps to slightly less than expected', async (t) => {
  const { ticker, advance, step, ticks } = setUp({ intervalMs: 100 })
  ticker.start()
  advance(500)
  // One that has stepped shows up to a millisecond less for a while.
  step(-1000.8)
  advance(500)
  t.strictSame(ticks.map(({ at }) => at - START_MS), [
    ...boundaries(100, 5, 100), ...boundaries(-400, 4, 100)
  ])
})

test('treats 50 ms as slewing, not as a step, and still sends each boundary once', async (t) => {
  const { ticker, advance, step, clock, ats } = setUp({ intervalMs: 1000 })
  ticker.start()
  advance(1010)
  step(-50)
  advance(3000)
  t.strictSame([clock.clockSteps, ats()], [0, [1000, 2000, 3000]])
})

test('continues with the current boundary after the machine has slept', async (t) => {
  const { ticker, advance, suspend, clock, ats } = setUp({ intervalMs: 1000 })
  ticker.start()
  advance(2500)
  suspend(8 * HOUR_MS + 200)
  advance(2000)
  const wakeMs = 8 * HOUR_MS
  t.strictSame([clock.clockSteps, ats()], [1, [1000, 2000, wakeMs + 3000, wakeMs + 4000]])
})

test('survives a wall clock that steps at random', async (t) => {
  const random = createRandom(11)
  const jitterMs = createJitter(-1, 1.1)
  const { ticker, advance, step, stall, ticks } = setUp({ intervalMs: 1000, jitterMs })
  ticker.start()
  for (let round = 0; round < 2000; round++) {
    advance(random() * 3000)
    if (random() < 0.1) step((random() - 0.5) * 2 * HOUR_MS)
    if (random() < 0.1) stall(random() * 5000)
  }
  t.ok(ticks.length > 1000)
  t.strictSame(ticks.map(({ seq }) => seq), boundaries(0, ticks.length, 1))
  for (const [index, { at, sent, clockSteps }] of ticks.entries()) {
    const before = ticks[index - 1]
    if (before === undefined) continue
    if (sent < at) t.fail(`early: ${sent} for ${at}`)
    if (clockSteps === before.clockSteps && at <= before.at) t.fail(`twice, or back: ${before.at}, then ${at}`)
  }
})

test('sends no ticks while the previous one is still being sent', async (t) => {
  const { ticker, advance, setBusy, ats, ticks } = setUp({ intervalMs: 1000 })
  ticker.start()
  advance(1500)
  setBusy(true)
  advance(2000)
  setBusy(false)
  advance(1500)
  t.strictSame(ats(), [1000, 4000, 5000])
  t.strictSame(ticks.map(({ seq }) => seq), [0, 1, 2])
})

test('sends no tick for a boundary that passed before the start', async (t) => {
  const { ticker, advance, ats } = setUp({ intervalMs: 1000, wallMs: START_MS + 999 })
  ticker.start()
  advance(0)
  t.strictSame(ats(), [])
  advance(1)
  t.strictSame(ats(), [1000])
})

test('has no timer before start(), one while it runs, none after stop()', async (t) => {
  const { time, ticker } = setUp({ intervalMs: 1000 })
  t.equal(time.pendingCount, 0)
  ticker.start()
  ticker.start()
  const counts = new Set<number>()
  for (let step = 0; step < 5000; step++) {
    time.advance(0.7)
    counts.add(time.pendingCount)
  }
  t.strictSame([...counts], [1])
  ticker.stop()
  ticker.stop()
  t.equal(time.pendingCount, 0)
})

test('stops for good when onTick stops it', async (t) => {
  const { time, ticker, ats } = setUp({ intervalMs: 1000, onTick: () => ticker.stop() })
  ticker.start()
  time.advance(10_000)
  t.strictSame([ats(), time.pendingCount], [[1000], 0])
})

test('sends no boundary twice over a stop and a start', async (t) => {
  const { ticker, advance, step, ats, ticks } = setUp({ intervalMs: 1000 })
  ticker.start()
  advance(1005)
  ticker.stop()
  step(-20)
  ticker.start()
  advance(1500)
  t.strictSame(ats(), [1000, 2000])
  t.strictSame(ticks.map(({ seq }) => seq), [0, 1])
})

test('the current tick repeats the latest boundary, as of now', async (t) => {
  const { ticker, advance } = setUp({ intervalMs: 1000, wallMs: START_MS + 400 })
  ticker.start()
  advance(100)
  t.strictSame(ticker.current(), {
    seq: -1, at: START_MS, sent: START_MS + 500, interval: 1000, clockSteps: 0
  })
  advance(700)
  t.strictSame(ticker.current(), {
    seq: 0, at: START_MS + 1000, sent: START_MS + 1200, interval: 1000, clockSteps: 0
  })
})

test('the current tick does not anticipate a boundary that is due', async (t) => {
  const time = setUp({ intervalMs: 1000 })
  let current: Tick | undefined
  time.ticker.start()
  time.advance(1500)
  time.timers.after(0, () => {
    current = time.ticker.current()
  })
  time.stall(600)
  t.strictSame([current?.at, current?.seq, time.ats()], [START_MS + 1000, 0, [1000, 2000]])
})

test('the current tick notices a step, and the schedule follows at once', async (t) => {
  const { ticker, advance, step, ats } = setUp({ intervalMs: 5000 })
  ticker.start()
  advance(100)
  step(4800)
  t.strictSame(ticker.current(), {
    seq: -1, at: START_MS, sent: START_MS + 4900, interval: 5000, clockSteps: 1
  })
  advance(100)
  t.strictSame(ats(), [5000])
})

test('sends nothing while the clock fails, and resumes when it works again', async (t) => {
  const { ticker, advance, failClock, ats } = setUp({ intervalMs: 1000 })
  ticker.start()
  advance(1500)
  failClock(true)
  t.equal(ticker.current(), undefined)
  advance(3000)
  failClock(false)
  advance(2000)
  t.strictSame(ats(), [1000, 4000, 5000, 6000])
})

test('starts with a clock that fails', async (t) => {
  const { ticker, advance, failClock, ats } = setUp({ intervalMs: 1000 })
  failClock(true)
  ticker.start()
  advance(1500)
  failClock(false)
  t.equal(ticker.current()?.at, START_MS + 1000)
  advance(2000)
  t.strictSame(ats(), [2000, 3000])
})

test('does not poll forever if the clock stands still before a boundary', async (t) => {
  const time = createFakeTime({ wallMs: START_MS })
  const source = { now: () => START_MS + 999 }
  let readings = 0
  const clock = createWallClock({
    source: { now: () => { readings++; return source.now() } },
    timers: time.timers,
    outageLog: createFakeOutageLog()
  })
  const ticker = createTicker({
    clock,
    timers: time.timers,
    intervalMs: 1000,
    isBusy: () => false,
    onTick: () => t.fail('early'),
    onMissed: () => t.fail('missed')
  })
  ticker.start()
  time.advance(40)
  t.ok(readings < 60, `${readings} readings in 40 ms`)
})

test('is not early, even by the smallest fraction that a time can have', async (t) => {
  const { ticker, advance, ticks } = setUp({ intervalMs: 10, wallMs: START_MS - 0.0003 })
  ticker.start()
  advance(0)
  t.equal(ticker.current()?.at, START_MS - 10)
  advance(15)
  t.ok(ticks.every(({ sent, at }) => sent >= at))
})

test('after a clock that failed at the start, no passed boundary gets a tick', async (t) => {
  const { ticker, advance, failClock, ats } = setUp({ intervalMs: HOUR_MS })
  failClock(true)
  ticker.start()
  advance(HOUR_MS / 2)
  failClock(false)
  advance(HOUR_MS)
  t.strictSame(ats(), [HOUR_MS])
})

test('reads a failing clock again after the interval, or after a second at the latest', async (t) => {
  for (const [intervalMs, retryMs] of [[100, 100], [60_000, 1000]] as const) {
    const time = createFakeTime({ wallMs: START_MS })
    let count = 0
    const source = {
      now () {
        count++
        return NaN
      }
    }
    const clock = createWallClock({ source, timers: time.timers, outageLog: createFakeOutageLog() })
    const { timers } = time
    const fail = () => t.fail('ticked')
    const isBusy = () => false
    createTicker({ clock, timers, intervalMs, isBusy, onTick: fail, onMissed: fail }).start()
    time.advance(10 * retryMs)
    t.equal(count, 11)
  }
})

test('resumes at once after a step back while it was stopped', async (t) => {
  const { time, ticker, clock, ats } = setUp({ intervalMs: 1000 })
  ticker.start()
  time.advance(1500)
  ticker.stop()
  time.step(-HOUR_MS)
  clock.readClocks()
  t.equal(ticker.current()?.clockSteps, 1)
  t.equal(time.pendingCount, 0, 'a look starts nothing')
  ticker.start()
  time.advance(1000)
  t.strictSame(ats(), [1000, 2000 - HOUR_MS])
})

test('reports how many boundaries got no tick: after a stall, and while busy', async (t) => {
  const { ticker, advance, stall, missed, setBusy, ats } = setUp({ intervalMs: 100 })
  ticker.start()
  advance(250)
  t.equal(missed(), 0)
  stall(500)
  t.strictSame([ats(), missed()], [[100, 200, 700], 4])
  setBusy(true)
  advance(200)
  setBusy(false)
  advance(100)
  t.strictSame([ats().at(-1), missed()], [1000, 6])
})

test('boundaries that a clock step skips do not count as missed', async (t) => {
  const { ticker, advance, step, missed } = setUp({ intervalMs: 1000 })
  ticker.start()
  advance(1500)
  step(3_600_000)
  advance(3000)
  t.equal(missed(), 0)
})
