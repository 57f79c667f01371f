import { test } from 'tap'
import { createWallClock } from '../../../src/time/wall-clock.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const START_MS = 1_795_262_400_000

function setUp (source?: { now (): unknown }) {
  const time = createFakeTime({ wallMs: START_MS })
  const outageLog = createFakeOutageLog()
  const clock = createWallClock({
    source: (source ?? time.clock) as { now (): number }, timers: time.timers, outageLog
  })
  return { time, outageLog, clock }
}

test('returns the time of the source', async (t) => {
  const { time, clock, outageLog } = setUp()
  time.advance(12.5)
  t.equal(clock.now(), START_MS + 12.5)
  t.strictSame(outageLog.told, ['worked'])
})

for (const [title, stepMs, clockSteps] of [
  ['50 ms forward', 50, 0], ['50 ms back', -50, 0], ['51 ms forward', 51, 1], ['51 ms back', -51, 1]
] as const) {
  test(`counts a move of ${title} as ${clockSteps} steps`, async (t) => {
    const { time, clock } = setUp()
    clock.readClocks()
    time.advance(1000)
    time.step(stepMs)
    t.strictSame(clock.readClocks(), {
      wallMs: START_MS + 1000 + stepMs, monotonicMs: 1000, doubtMs: 0
    })
    t.equal(clock.clockSteps, clockSteps)
    clock.readClocks()
    t.equal(clock.clockSteps, clockSteps, 'once')
  })
}

test('the first reading finds no step', async (t) => {
  const { clock } = setUp()
  t.strictSame(clock.readClocks(), { wallMs: START_MS, monotonicMs: 0, doubtMs: 0 })
  t.equal(clock.clockSteps, 0)
})

test('a reading after a long time allows for slewing by 500 ppm', async (t) => {
  const { time, clock } = setUp()
  const DAY_MS = 86_400_000
  clock.readClocks()
  time.advance(DAY_MS)
  time.step(DAY_MS * 500e-6)
  clock.readClocks()
  t.equal(clock.clockSteps, 0)
  time.advance(DAY_MS)
  time.step(DAY_MS * 500e-6 + 51)
  clock.readClocks()
  t.equal(clock.clockSteps, 1)
})

test('a stall between the two readings is not a step', async (t) => {
  const held = { ms: 0 }
  const { time, clock } = setUp({
    now () {
      const nowMs = time.clock.now()
      time.advance(held.ms)
      return nowMs
    }
  })
  clock.readClocks()
  for (const ms of [500, 0, 300, 0]) {
    held.ms = ms
    time.advance(100)
    clock.readClocks()
    t.equal(clock.clockSteps, 0)
  }
})

for (const [title, answer] of [
  ['NaN', NaN], ['infinity', Infinity], ['text', '1795262400000'], ['nothing', undefined],
  ['a Date', new Date(START_MS)], ['a bigint', 1n], ['a time that Date cannot express', 8.64e15 + 1],
  ['an object that cannot be printed', Object.create(null)],
  ['a promise that rejects', { then: (_: unknown, fail: () => void) => fail() }]
] as const) {
  test(`a source that returns ${title} gives no reading, and time continues from the last reading`, async (t) => {
    let failing = false
    const { time, clock, outageLog } = setUp({ now: () => failing ? answer : time.clock.now() })
    clock.readClocks()
    failing = true
    time.advance(250)
    t.equal(clock.readClocks(), undefined)
    t.equal(clock.now(), START_MS + 250)
    const expected = /^the clock must return milliseconds since the Unix epoch, got /
    t.match(outageLog.told.at(-1), { message: expected })
  })
}

test('a source that throws gives no reading; the outageLog gets the error', async (t) => {
  const error = new Error('no signal')
  const beforeMs = Date.now()
  const { clock, outageLog } = setUp({ now () { throw error } })
  t.equal(clock.readClocks(), undefined)
  const nowMs = clock.now()
  t.ok(nowMs >= beforeMs && nowMs <= Date.now(), 'the system\'s time, where there was never another')
  t.equal(outageLog.told[0], error)
})

test('a step while the source fails is noticed when it works again', async (t) => {
  let failing = false
  const { time, clock } = setUp({ now: () => failing ? NaN : time.clock.now() })
  clock.readClocks()
  failing = true
  time.advance(500)
  clock.readClocks()
  time.step(3000)
  failing = false
  time.advance(500)
  clock.readClocks()
  t.equal(clock.clockSteps, 1)
})
