import { test } from 'tap'
import type { Test } from 'tap'
import { createSharedClocks } from '../../../src/elements/shared-clocks.js'
import type { SharedClock } from '../../../src/elements/shared-clocks.js'
import { FakeClock, installFakePage, installFakeTime, pageEvents } from '../../helpers/fakes/fake-page.js'

installFakePage()

test('gives one clock to all elements with the same URL and transport', (t) => {
  const { clocks, created } = setUp(t)
  const first = clocks.open('https://example.org/time', 'http')
  t.equal(clocks.open('https://example.org/time', 'http'), first)
  t.not(clocks.open('https://example.org/time', 'auto'), first)
  t.not(clocks.open('https://example.org/other', 'http'), first)
  t.equal(created.length, 3)
  t.end()
})

test('closes the clock 1 s after its last painter was removed', (t) => {
  const { clocks, created, time } = setUp(t)
  const shared = clocks.open('https://example.org/time', 'http')
  const [one, other] = [() => {}, () => {}]
  shared.add(one)
  shared.add(other)
  shared.remove(one)
  time.advance(5000)
  shared.remove(other)
  shared.remove(other)
  time.advance(999)
  t.equal(created[0]?.closeCount, 0)
  time.advance(1)
  t.equal(created[0]?.closeCount, 1)
  t.equal(time.pendingCount, 0)
  t.not(clocks.open('https://example.org/time', 'http'), shared)
  t.end()
})

test('keeps the clock of a painter that is added again within 1 s', (t) => {
  const { clocks, created, time } = setUp(t)
  const shared = clocks.open('https://example.org/time', 'http')
  const painter = () => {}
  shared.add(painter)
  shared.remove(painter)
  time.advance(900)
  shared.add(painter)
  time.advance(5000)
  t.equal(created[0]?.closeCount, 0)
  t.end()
})

test('never closes a clock that the page has created', (t) => {
  const { clocks, time } = setUp(t)
  const clock = new FakeClock(time)
  const shared = clocks.wrap(clock.asServerClock)
  t.equal(clocks.wrap(clock.asServerClock), shared)
  const painter = () => {}
  shared.add(painter)
  shared.remove(painter)
  time.advance(5000)
  t.equal(clock.closeCount, 0)
  t.equal(time.pendingCount, 0)
  t.end()
})

test('calls each of a hundred painters at its time, with one timer', (t) => {
  const { shared, clock, time } = setUp(t, 500)
  const paints: number[] = []
  for (let i = 0; i < 100; i++) {
    const painter = (): void => {
      paints.push(clock.now())
      shared.wakeAt(painter, (Math.floor(clock.now() / 1000) + 1) * 1000)
    }
    shared.add(painter)
  }
  t.equal(time.pendingCount, 1)
  paints.length = 0
  time.advance(1499)
  t.equal(paints.length, 100)
  t.equal(new Set(paints).size, 1)
  t.equal(paints[0], 1000)
  time.advance(1)
  t.equal(paints.length, 200)
  t.equal(time.pendingCount, 1)
  t.end()
})

test('calls a painter at its time if the monotonic clock of the page is another one', (t) => {
  const { clocks, time } = setUp(t)
  const clock = new FakeClock(time)
  clock.originMs = -10_000
  const shared = clocks.wrap(clock.asServerClock)
  const paints: number[] = []
  const painter = (): void => {
    paints.push(clock.now())
    if (paints.length < 10) shared.wakeAt(painter, 1000 * paints.length)
  }
  shared.add(painter)
  time.advance(3000)
  t.strictSame(paints, [0, 1000, 2000, 3000])
  t.end()
})

test('calls no painter early when a timer fires early, and waits in steps of at most 1 s', (t) => {
  const { shared, clock, time } = setUp(t)
  const paints: number[] = []
  const dueMs = 86_400_000 * 3652
  const painter = (): void => {
    paints.push(clock.now())
    shared.wakeAt(painter, clock.now() < dueMs ? dueMs : Infinity)
  }
  shared.add(painter)
  clock.startMs = dueMs - 2500
  time.advance(2499)
  t.strictSame(paints, [0])
  time.advance(1)
  t.strictSame(paints, [0, dueMs])
  t.equal(time.pendingCount, 0)
  t.end()
})

test('repaints when the clock or the page changes', (t) => {
  const { shared, clock } = setUp(t)
  let count = 0
  const painter = () => { count++ }
  shared.add(painter)
  const types = ['sync', 'step', 'open', 'close', 'refused']
  for (const type of types) clock.fire(type)
  t.equal(count, 1 + types.length)
  for (const type of ['visibilitychange', 'pageshow']) pageEvents.dispatchEvent(new Event(type))
  t.equal(count, 3 + types.length)
  shared.remove(painter)
  for (const type of types) clock.fire(type)
  pageEvents.dispatchEvent(new Event('pageshow'))
  t.equal(count, 3 + types.length)
  t.end()
})

test('shows why the clock gets no time from the server', (t) => {
  const { shared, clock } = setUp(t)
  const seen: unknown[] = []
  shared.add(() => { seen.push(shared.trouble) })
  for (const type of ['close', 'refused', 'open', 'close', 'open']) clock.fire(type)
  t.strictSame(seen, [undefined, 'offline', 'refused', undefined, 'offline', undefined])
  t.end()
})

for (const [state, trouble] of [
  ['connecting', undefined], ['open', undefined], ['waiting', 'offline'], ['closed', 'offline'],
  ['refused', 'refused']
]) {
  test(`shows a clock in state ${state} as ${trouble ?? 'a clock without trouble'}`, (t) => {
    const { shared, clock } = setUp(t)
    clock.state = String(state)
    shared.add(() => {})
    t.equal(shared.trouble, trouble)
    t.end()
  })
}

test('remembers that the clock was synced, even when its error is unknown again', (t) => {
  const { shared, clock } = setUp(t)
  clock.synced = false
  shared.add(() => {})
  t.equal(shared.wasSynced, false)
  clock.synced = true
  clock.fire('sync')
  t.equal(shared.wasSynced, true)
  clock.synced = false
  clock.fire('step')
  t.equal(shared.wasSynced, true)
  t.end()
})

test('allows a painter to be removed while all are called', (t) => {
  const { shared, clock } = setUp(t)
  let count = 0
  const painter = () => {
    if (count++ > 0) shared.remove(painter)
  }
  shared.add(painter)
  clock.fire('sync')
  clock.fire('sync')
  t.equal(count, 2)
  t.end()
})

function setUp (t: Test, startMs = 0) {
  const time = installFakeTime(t)
  const created: FakeClock[] = []
  const clocks = createSharedClocks(() => {
    const clock = new FakeClock(time)
    created.push(clock)
    return clock.asServerClock
  })
  const clock = new FakeClock(time, startMs)
  const shared: SharedClock = clocks.wrap(clock.asServerClock)
  return { time, clocks, created, clock, shared }
}
