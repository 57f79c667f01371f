import { test } from 'tap'
import { createDisplayedClock } from '../../../../src/browser/time/displayed-clock.js'
import type { DisplayedClockOptions } from '../../../../src/browser/time/displayed-clock.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'

const UNKNOWN = { offset: 0, skew: 0, error: Infinity }

/** A clock that follows an estimate, which the test sets: the device's is right at first. */
function setUp (options: Partial<DisplayedClockOptions> = {}) {
  const world = createWorld()
  let estimate = UNKNOWN
  const steps: number[] = []
  const display = createDisplayedClock({
    environment: world.environment,
    estimates: {
      estimatorFor: () => { throw new Error('is not asked') },
      choose () {},
      at: () => estimate,
      clear () { estimate = UNKNOWN }
    },
    slew: 0.05,
    stepThreshold: 250,
    onStep: (byMs) => { steps.push(Math.round(byMs)) },
    ...options
  })
  /** How much is shown too much. */
  const ahead = () => round(display.now() - world.serverNow())
  /** From now on the server is estimated to be ahead of the device by so much. */
  const estimateMs = (aheadMs: number, error = 5) => display.update(() => {
    const offset = world.serverNow() - world.environment.monotonic() + aheadMs
    estimate = { offset, skew: 0, error }
  })
  const forget = () => display.update(() => { estimate = UNKNOWN })
  return { world, display, steps, ahead, estimateMs, forget }
}

function round (ms: number): number {
  return Math.round(ms * 100) / 100
}

test('a displayed clock', async (t) => {
  await t.test('shows the device\'s time, without an error bound, until there is an estimate', async (t) => {
    const { world, display, ahead } = setUp()
    await world.advance(1000)
    t.strictSame([ahead(), display.error()], [0, Infinity])
  })

  for (const direction of [1, -1]) {
    await t.test(`slews toward an estimate that is ${direction * 100} ms ahead`, async (t) => {
      const { world, display, steps, ahead, estimateMs } = setUp()
      estimateMs(direction * 100)
      const shown = [[ahead(), round(display.error())]]
      for (const ms of [1000, 900, 100, 1000]) {
        await world.advance(ms)
        shown.push([ahead(), round(display.error())])
      }
      const expected = [[0, 105], [50, 55], [95, 10], [100, 5], [100, 5]]
      t.strictSame(shown, expected.map(([ms = 0, error]) => [direction * ms, error]))
      t.strictSame(steps, [])
    })

    await t.test(`steps if the estimate is ${direction * 251} ms ahead`, async (t) => {
      const { display, steps, ahead, estimateMs } = setUp()
      estimateMs(direction * 251)
      const stepMs = direction * 251
      t.strictSame([ahead(), round(display.error()), steps], [stepMs, 5, [stepMs]])
    })
  }

  await t.test('continues to slew from the time shown when the estimate changes again', async (t) => {
    const { world, ahead, estimateMs } = setUp()
    estimateMs(100)
    await world.advance(1000)
    estimateMs(0)
    const shown = [ahead()]
    await world.advance(500)
    t.strictSame([...shown, ahead()], [50, 25])
  })

  await t.test('stands still rather than run backwards, however it is slewed', async (t) => {
    const { world, display, steps, estimateMs } = setUp({ slew: 2 })
    estimateMs(-100)
    let latest = display.now()
    for (let i = 0; i < 300; i++) {
      await world.advance(1)
      t.ok(display.now() >= latest)
      latest = display.now()
    }
    t.strictSame(steps, [])
  })

  await t.test('continues without an error bound when the estimate is cleared', async (t) => {
    const { world, display, steps, ahead, estimateMs, forget } = setUp()
    estimateMs(100)
    await world.advance(5000)
    forget()
    await world.advance(1000)
    t.strictSame([ahead(), display.error(), steps], [100, Infinity, []])
  })

  await t.test('continues from the time shown when a contradiction leaves no estimate', async (t) => {
    const { world, display, steps, ahead, estimateMs } = setUp()
    estimateMs(90_000)
    await world.advance(1000)
    estimateMs(0, Infinity)
    await world.advance(30)
    const shown = [ahead(), display.error()]
    estimateMs(90_100)
    await world.advance(10_000)
    t.strictSame([shown, ahead(), steps], [[90_000, Infinity], 90_100, [90_000]])
  })

  await t.test('adds the time that the device has slept if there is no estimate', async (t) => {
    const { world, display, steps, ahead } = setUp()
    world.sleep(60_000)
    const before = ahead()
    display.onMoved(60_000)
    display.addSleep(0)
    t.strictSame([before, ahead(), steps], [-60_000, 0, [60_000]])
  })

  await t.test('continues from the time shown after a move, without an error bound at first', async (t) => {
    const { world, display, steps, ahead, estimateMs } = setUp()
    estimateMs(1000)
    display.onMoved(60_000)
    display.addSleep(1000)
    t.strictSame([ahead(), display.error(), steps], [1000, Infinity, [1000]])
    await world.advance(1000)
    display.addSleep(1000)
    display.addSleep(1000)
    t.strictSame([ahead(), display.error(), steps], [61_000, Infinity, [1000, 60_000]])
  })

  await t.test('adds no sleep once there is an estimate', async (t) => {
    const { world, display, steps, ahead, estimateMs } = setUp()
    estimateMs(100)
    display.onMoved(60_000)
    estimateMs(200)
    await world.advance(10_000)
    display.addSleep(0)
    t.strictSame([ahead(), display.error(), steps], [200, 5, []])
  })

  await t.test('converts a server time to the monotonic clock, even while it is slewed', async (t) => {
    const { world, display, estimateMs } = setUp()
    estimateMs(200)
    for (const inMs of [0, 10, 1000, 4000, 100_000]) {
      const due = display.now() + inMs
      const localMs = display.toMonotonic(due)
      await world.advance(localMs - world.environment.monotonic())
      t.ok(Math.abs(display.now() - due) < 0.01, `in ${inMs} ms it shows ${display.now() - due} more`)
    }
  })
})
