import { test } from 'tap'
import { createTimetable } from '../../../../src/browser/time/timetable.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'

/** What a timetable does not need of a clock. */
const UNUSED = { error: () => 0, update () {}, onMoved () {}, addSleep () {} }

/** A timetable by a clock that shows the server's time, until `shift` sets it. */
function setUp () {
  const world = createWorld()
  const { environment } = world
  let shiftMs = 0
  let errorMs = 0
  const now = () => world.serverNow() + shiftMs
  const toMonotonic = (serverMs: number) => environment.monotonic() + serverMs - now()
  const timetable = createTimetable(environment, {
    ...UNUSED, now, toMonotonic, error: () => errorMs
  })
  timetable.start()
  const called: [name: string, ms: number][] = []
  const call = (name: string) => () => { called.push([name, now() - START]) }
  const START = world.serverNow()
  return {
    world,
    timetable,
    called,
    call,
    START,
    know (ms: number) {
      errorMs = ms
      timetable.run()
    },
    shift (ms: number) {
      shiftMs += ms
      timetable.run()
    }
  }
}

test('at', async (t) => {
  await t.test('calls back once, on time and in order', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    timetable.at(START + 300, call('c'))
    timetable.at(START + 100, call('a'))
    timetable.at(START + 100, call('b'))
    await world.advance(1000)
    t.strictSame(called, [['a', 100], ['b', 100], ['c', 300]])
    t.strictSame(world.timers, { alive: 0, most: 1 })
  })

  await t.test('calls back soon, but not synchronously, if the time has passed', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    await world.advance(500)
    timetable.at(START + 100, call('a'))
    const atOnce = [...called]
    await world.advance(0)
    t.strictSame([atOnce, called], [[], [['a', 500]]])
  })

  await t.test('waits until the time is known, unlike every()', async (t) => {
    const { world, timetable, called, call, START, know } = setUp()
    know(Infinity)
    timetable.at(START + 100, call('at'))
    timetable.every(600, call('every'))
    await world.advance(1000)
    t.strictSame(called, [['every', 600]])
    know(20)
    t.strictSame(called.slice(1), [['at', 1000]])
  })

  await t.test('does not call back once it is cancelled', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    const cancel = timetable.at(START + 100, call('a'))
    cancel()
    cancel()
    await world.advance(1000)
    t.strictSame([called, world.timers.alive], [[], 0])
  })

  await t.test('lets one callback cancel another that is also due', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    timetable.at(START + 100, () => cancel())
    const cancel = timetable.at(START + 100, call('b'))
    await world.advance(1000)
    t.strictSame(called, [])
  })

  await t.test('waits for weeks, longer than a timer can', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    const dueMs = 60 * 86_400_000
    timetable.at(START + dueMs, call('a'))
    await world.advance(dueMs - 1)
    t.strictSame(called, [])
    await world.advance(1)
    t.strictSame(called, [['a', dueMs]])
  })

  await t.test('keeps waiting if a timer fires early', async (t) => {
    const { world, START } = setUp()
    const { environment } = world
    const setTimeout = (callback: () => void, ms: number) =>
      environment.setTimeout(callback, ms - 0.9)
    const toMonotonic = (serverMs: number) => environment.monotonic() + serverMs - world.serverNow()
    const clock = { ...UNUSED, now: world.serverNow, toMonotonic }
    const early = createTimetable({ ...environment, setTimeout }, clock)
    early.start()
    const called: number[] = []
    early.at(START + 100, () => { called.push(world.serverNow() - START) })
    await world.advance(1000)
    t.equal(called.length, 1)
    t.ok(called.every((ms) => ms >= 100 && ms < 102))
  })

  await t.test('follows steps of the clock', async (t) => {
    const { world, timetable, called, call, shift, START } = setUp()
    timetable.at(START + 1000, call('a'))
    timetable.at(START + 2000, call('b'))
    await world.advance(100)
    shift(1500)
    shift(-500)
    await world.advance(5000)
    t.strictSame(called, [['a', 1600], ['b', 2000]])
  })

  for (const time of [NaN, Infinity, -Infinity]) {
    await t.test(`refuses ${time}`, async (t) => {
      const { timetable, call } = setUp()
      t.throws(() => timetable.at(time, call('a')), {
        name: 'RangeError', message: `ServerClock: at() needs a valid Date or milliseconds since the Unix epoch, but got ${time}`
      })
    })
  }
})

test('every', async (t) => {
  await t.test('calls back at whole multiples, starting with the next', async (t) => {
    const { world, timetable, called, call } = setUp()
    await world.advance(250)
    const cancel = timetable.every(1000, call('a'))
    await world.advance(2800)
    cancel()
    await world.advance(5000)
    t.strictSame(called, [['a', 1000], ['a', 2000], ['a', 3000]])
    t.equal(world.timers.alive, 0)
  })

  await t.test('also calls back soon with immediate', async (t) => {
    const { world, timetable, called, call } = setUp()
    await world.advance(250)
    timetable.every(1000, call('a'), undefined, true)
    await world.advance(2000)
    t.strictSame(called, [['a', 250], ['a', 1000], ['a', 2000]])
  })

  await t.test('calls back once for all missed multiples', async (t) => {
    const { world, timetable, called, call, shift } = setUp()
    timetable.every(1000, call('a'))
    await world.advance(100)
    shift(5000)
    await world.advance(1000)
    t.strictSame(called, [['a', 5100], ['a', 6000]])
  })

  await t.test('continues with the next multiple after the clock has stepped back', async (t) => {
    const { world, timetable, called, call, shift } = setUp()
    timetable.every(1000, call('a'))
    await world.advance(1100)
    shift(-3_600_000)
    await world.advance(1000)
    t.strictSame(called, [['a', 1000], ['a', -3_598_000]])
  })

  for (const ms of [0.1, 100 / 3, 7, 16.67, 1001 / 60]) {
    await t.test(`calls back once for each multiple of ${ms}`, async (t) => {
      const { world, timetable } = setUp()
      const multiples: number[] = []
      timetable.every(ms, () => {
        multiples.push(Math.floor(world.serverNow() / ms + 1e-4))
      })
      await world.advance(500)
      t.strictSame(multiples, [...new Set(multiples)])
      // Timers last whole milliseconds.
      t.ok(multiples.length >= Math.floor(500 / Math.max(2, ms + 1)))
    })
  }

  for (const ms of [0, -1, NaN, Infinity]) {
    await t.test(`refuses ${ms}`, async (t) => {
      const { timetable, call } = setUp()
      t.throws(() => timetable.every(ms, call('a')), {
        name: 'RangeError', message: `ServerClock: every() needs a positive number of milliseconds, but got ${ms}`
      })
    })
  }
})

test('a signal', async (t) => {
  await t.test('cancels a callback, and keeps no listener once the callback is over', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    const signals = Array.from({ length: 4 }, () => new AbortController())
    const listeners = new Map<AbortSignal, number>()
    for (const { signal } of signals) {
      const { addEventListener, removeEventListener } = signal
      const count = (by: number) => listeners.set(signal, (listeners.get(signal) ?? 0) + by)
      signal.addEventListener = (...given: [string, EventListener]) => {
        count(1)
        addEventListener.apply(signal, given)
      }
      signal.removeEventListener = (...given: [string, EventListener]) => {
        count(-1)
        removeEventListener.apply(signal, given)
      }
    }
    const [aborted, fired, cancelled, over] = signals.map(({ signal }) => signal)
    signals[3]?.abort()
    timetable.every(100, call('aborted'), aborted)
    timetable.at(START + 100, call('fired'), fired)
    timetable.at(START + 100, call('cancelled'), cancelled)()
    timetable.at(START + 100, call('over'), over)()
    await world.advance(150)
    signals[0]?.abort()
    await world.advance(1000)
    t.strictSame(called, [['aborted', 100], ['fired', 100]])
    t.strictSame([...listeners.values()].filter((count) => count !== 0), [-1])
  })
})

test('a timetable', async (t) => {
  await t.test('runs no callbacks while stopped, and runs due callbacks after start()', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    timetable.at(START + 100, call('a'))
    timetable.every(1000, call('b'))
    timetable.stop()
    timetable.at(START + 200, call('c'))
    await world.advance(2500)
    timetable.run()
    t.strictSame([called, world.timers.alive], [[], 0])
    timetable.start()
    timetable.run()
    t.strictSame(called, [['a', 2500], ['c', 2500], ['b', 2500]])
    await world.advance(500)
    t.strictSame(called.at(-1), ['b', 3000])
  })

  await t.test('stops at once when a callback stops it', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    timetable.at(START + 100, () => timetable.stop())
    timetable.at(START + 100, call('b'))
    await world.advance(1000)
    t.strictSame([called, world.timers.alive], [[], 0])
  })

  await t.test('continues after a callback that throws, and reports the error as uncaught', async (t) => {
    const { world, timetable, called, call, START } = setUp()
    const uncaught: unknown[] = []
    const { queueMicrotask } = globalThis
    globalThis.queueMicrotask = (callback) => {
      try {
        callback()
      } catch (err) {
        uncaught.push(err)
      }
    }
    t.teardown(() => { globalThis.queueMicrotask = queueMicrotask })
    const failure = new Error('of the user')
    timetable.at(START + 100, () => { throw failure })
    timetable.at(START + 100, call('b'))
    timetable.every(1000, call('c'))
    await world.advance(1000)
    t.strictSame([uncaught, called], [[failure], [['b', 100], ['c', 1000]]])
  })
})
