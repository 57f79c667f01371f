import { test } from 'tap'
import { sayFarewell } from '../../../src/connections/paced-close.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

interface Settings {
  count: number
  graceMs: number
  spreadMs: number
  /** How long it takes to tell, or to terminate, one. */
  workMs?: number
}

/** Simulated time, and what happens on it: `tell 0 at 0`. */
function setUp ({ count, graceMs, spreadMs, workMs = 0 }: Settings) {
  const time = createFakeTime({ wallMs: 0 })
  const events: string[] = []
  const record = (event: string) => events.push(`${event} at ${time.timers.monotonic()}`)
  const leavers = Array.from({ length: count }, (_, index) => ({
    end ({ code, reason }: { code: number, reason: string }) {
      record(`tell ${index} ${code} ${reason}`)
      time.stall(workMs)
    },
    terminate () {
      record(`terminate ${index}`)
      time.stall(workMs)
    }
  }))
  const onHurry = () => { record('hurry') }
  const onEnd = () => { record('end') }
  const callOff = sayFarewell({ leavers, timers: time.timers, graceMs, spreadMs, onHurry, onEnd })
  return { time, events, callOff }
}

test('without a spread tells all at once, and terminates them a grace later', async (t) => {
  const { time, events } = setUp({ count: 2, graceMs: 1000, spreadMs: 0 })
  const told = ['tell 0 1001 server shutting down at 0', 'tell 1 1001 server shutting down at 0']
  t.strictSame(events, told)
  time.advance(999)
  t.strictSame(events, told)
  time.advance(1)
  t.strictSame(events.slice(2), ['terminate 0 at 1000', 'terminate 1 at 1000', 'end at 1000'])
  t.equal(time.pendingCount, 0)
})

test('spreads them evenly, and gives each its whole grace', async (t) => {
  const { time, events } = setUp({ count: 4, graceMs: 300, spreadMs: 1000 })
  time.advance(10_000)
  t.strictSame(events.map((event) => event.replace(' 1001 server shutting down', '')), [
    'tell 0 at 0', 'tell 1 at 250', 'terminate 0 at 300', 'tell 2 at 500', 'terminate 1 at 550',
    'tell 3 at 750', 'terminate 2 at 800', 'terminate 3 at 1050', 'end at 1050'
  ])
})

test('gives a client that was told a little late its whole grace, too', async (t) => {
  const { time, events } = setUp({ count: 2, graceMs: 500, spreadMs: 200 })
  time.stall(180)
  time.advance(499)
  t.strictSame(events.slice(1), ['tell 1 1001 server shutting down at 180', 'terminate 0 at 500'])
  time.advance(1)
  t.strictSame(events.slice(3), ['terminate 1 at 680', 'end at 680'])
})

test('where there are too many to be told in time, all is over 100 ms later than planned', async (t) => {
  const { time, events } = setUp({ count: 100, graceMs: 100, spreadMs: 0, workMs: 5 })
  time.advance(200)
  const told = events.filter((event) => event.startsWith('tell'))
  const terminated = events.filter((event) => event.startsWith('terminate'))
  t.strictSame([told.length, terminated.length, events.length], [100, 100, 202])
  // From 200 ms on without a break: all of it is 200 times 5 ms.
  t.match(events.at(-1), /^end at 10\d\d/)
})

test('after half the grace, tells those who are left without a break', async (t) => {
  const { time, events } = setUp({ count: 100, graceMs: 200, spreadMs: 0, workMs: 2 })
  time.advance(80)
  t.ok(events.length > 30 && events.length < 50, `${events.length} told`)
  time.advance(20)
  const hurries = events.filter((event) => event.startsWith('hurry'))
  t.strictSame([events.length, hurries.length], [101, 1])
  t.match(hurries[0], /^hurry at 10\d/)
  t.match(events.at(-1), /^tell 99 /)
})

test('after a long stall, tells everybody and ends', async (t) => {
  const { time, events } = setUp({ count: 2, graceMs: 500, spreadMs: 200 })
  time.stall(5000)
  t.strictSame(events.slice(1), [
    'tell 1 1001 server shutting down at 5000', 'terminate 0 at 5000', 'terminate 1 at 5000', 'end at 5000'
  ])
})

test('lets the event loop turn every few milliseconds while there are many', async (t) => {
  const { time, events } = setUp({ count: 10, graceMs: 1000, spreadMs: 0, workMs: 1.5 })
  t.equal(events.length, 3)
  time.advance(0.25)
  t.equal(events.length, 6)
  time.advance(10_000)
  const [first = '', ...others] = events.filter((event) => event.startsWith('terminate'))
  t.match(first, /^terminate 0 at 1000/)
  t.equal(others.length, 9)
  t.match(others.at(-1), /^terminate 9 /)
})

test('waits for the grace where there is nobody, and calls back once', async (t) => {
  const { time, events } = setUp({ count: 0, graceMs: 700, spreadMs: 5000 })
  time.advance(699)
  t.strictSame(events, [])
  time.advance(10_000)
  t.strictSame(events, ['end at 700'])
})

test('a grace of 0 terminates at once', async (t) => {
  const { time, events } = setUp({ count: 1, graceMs: 0, spreadMs: 0 })
  t.strictSame(events.slice(1), ['terminate 0 at 0', 'end at 0'])
  t.equal(time.pendingCount, 0)
})

test('called off, does nothing more', async (t) => {
  for (const settings of [
    { count: 3, graceMs: 100, spreadMs: 900 }, { count: 0, graceMs: 100, spreadMs: 0 },
    { count: 9, graceMs: 100, spreadMs: 0, workMs: 2 }
  ]) {
    const { time, events, callOff } = setUp(settings)
    const before = [...events]
    callOff()
    t.equal(time.pendingCount, 0)
    time.advance(10_000)
    t.strictSame(events, before)
  }
})
