import { test } from 'tap'
import { closeAll } from '../../../src/connections/paced-close.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

interface Settings {
  count: number
  graceMs: number
  spreadMs: number
  /** How long it takes to close, or to terminate, one client. */
  workMs?: number
}

/** Simulated time, and what happens on it: `close 0 at 0`. */
function setUp ({ count, graceMs, spreadMs, workMs = 0 }: Settings) {
  const time = createFakeTime({ wallMs: 0 })
  const events: string[] = []
  const record = (event: string) => events.push(`${event} at ${time.timers.monotonic()}`)
  const cancel = closeAll({
    clients: Array.from({ length: count }, (_, index) => index),
    isPaced: true,
    close (index) {
      record(`close ${index}`)
      time.stall(workMs)
    },
    terminate (index) {
      record(`terminate ${index}`)
      time.stall(workMs)
    },
    timers: time.timers,
    graceMs,
    spreadMs,
    onPacingSkipped: () => { record('pacing skipped') },
    onEnd: () => { record('end') }
  })
  return { time, events, cancel }
}

test('without a spread, closes all clients at once, and terminates them after the grace', async (t) => {
  const { time, events } = setUp({ count: 2, graceMs: 1000, spreadMs: 0 })
  const closed = ['close 0 at 0', 'close 1 at 0']
  t.strictSame(events, closed)
  time.advance(999)
  t.strictSame(events, closed)
  time.advance(1)
  t.strictSame(events.slice(2), ['terminate 0 at 1000', 'terminate 1 at 1000', 'end at 1000'])
  t.equal(time.pendingCount, 0)
})

test('spreads the close frames evenly, and gives each client its whole grace', async (t) => {
  const { time, events } = setUp({ count: 4, graceMs: 300, spreadMs: 1000 })
  time.advance(10_000)
  t.strictSame(events, [
    'close 0 at 0', 'close 1 at 250', 'terminate 0 at 300', 'close 2 at 500', 'terminate 1 at 550',
    'close 3 at 750', 'terminate 2 at 800', 'terminate 3 at 1050', 'end at 1050'
  ])
})

test('gives a client that was closed a little late its whole grace', async (t) => {
  const { time, events } = setUp({ count: 2, graceMs: 500, spreadMs: 200 })
  time.stall(180)
  time.advance(499)
  t.strictSame(events.slice(1), ['close 1 at 180', 'terminate 0 at 500'])
  time.advance(1)
  t.strictSame(events.slice(3), ['terminate 1 at 680', 'end at 680'])
})

test('with too many clients to close in time, ends 100 ms later than planned', async (t) => {
  const { time, events } = setUp({ count: 100, graceMs: 100, spreadMs: 0, workMs: 5 })
  time.advance(200)
  const closed = events.filter((event) => event.startsWith('close'))
  const terminated = events.filter((event) => event.startsWith('terminate'))
  t.strictSame([closed.length, terminated.length, events.length], [100, 100, 202])
  // From 200 ms on without a break: all of it is 200 times 5 ms.
  t.match(events.at(-1), /^end at 10\d\d/)
})

test('after half the grace, closes the remaining clients without yielding', async (t) => {
  const { time, events } = setUp({ count: 100, graceMs: 200, spreadMs: 0, workMs: 2 })
  time.advance(80)
  t.ok(events.length > 30 && events.length < 50, `${events.length} closed`)
  time.advance(20)
  const skips = events.filter((event) => event.startsWith('pacing skipped'))
  t.strictSame([events.length, skips.length], [101, 1])
  t.match(skips[0], /^pacing skipped at 10\d/)
  t.match(events.at(-1), /^close 99 /)
})

test('after a long stall, closes and terminates all clients at once', async (t) => {
  const { time, events } = setUp({ count: 2, graceMs: 500, spreadMs: 200 })
  time.stall(5000)
  t.strictSame(events.slice(1), [
    'close 1 at 5000', 'terminate 0 at 5000', 'terminate 1 at 5000', 'end at 5000'
  ])
})

test('lets the event loop turn every few milliseconds', async (t) => {
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

test('without clients, waits for the grace and calls back once', async (t) => {
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

test('does nothing more once it is cancelled', async (t) => {
  for (const settings of [
    { count: 3, graceMs: 100, spreadMs: 900 }, { count: 0, graceMs: 100, spreadMs: 0 },
    { count: 9, graceMs: 100, spreadMs: 0, workMs: 2 }
  ]) {
    const { time, events, cancel } = setUp(settings)
    const before = [...events]
    cancel()
    t.equal(time.pendingCount, 0)
    time.advance(10_000)
    t.strictSame(events, before)
  }
})
