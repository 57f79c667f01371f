import { test } from 'tap'
import { createAgenda } from '../../../src/delivery/agenda.js'
import type { Due } from '../../../src/delivery/agenda.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const NOW_MS = 1_795_262_400_000
const DAY_MS = 86_400_000

interface Item extends Due {
  readonly name: string
}

function setUp (jitterMs = () => 0) {
  const time = createFakeTime({ wallMs: NOW_MS, jitterMs })
  /** What became due, and how many milliseconds after its time. */
  const due: [name: string, lateMs: number][] = []
  let onDue = (_item: Item): void => {}
  const agenda = createAgenda<Item>({
    now: time.clock.now,
    timers: time.timers,
    onDue (item) {
      due.push([item.name, time.clock.now() - item.atMs])
      onDue(item)
    }
  })
  return {
    time,
    due,
    agenda,
    add (name: string, delayMs: number): Item {
      const item = { name, atMs: time.clock.now() + delayMs }
      agenda.add(item)
      return item
    },
    whenDue (callback: (item: Item) => void) { onDue = callback }
  }
}

test('each item is due at its time; items due at the same time keep the order in which they were added', async (t) => {
  const { time, due, add } = setUp()
  add('third', 500)
  add('first', 20)
  add('second', 30)
  add('fourth', 500)
  time.advance(19)
  t.strictSame(due, [])
  time.advance(481)
  t.strictSame(due, [['first', 0], ['second', 0], ['third', 0], ['fourth', 0]])
})

test('has one timer for all items, and none without items', async (t) => {
  const { time, agenda, add } = setUp()
  t.equal(time.pendingCount, 0)
  const items = [5000, 20, 700].map((delayMs) => add('', delayMs))
  t.strictSame([agenda.size, time.pendingCount], [3, 1])
  time.advance(800)
  t.strictSame([agenda.size, time.pendingCount], [1, 1])
  for (const item of items) agenda.delete(item)
  t.strictSame([agenda.size, time.pendingCount], [0, 0])
  add('', 20)
  agenda.clear()
  t.strictSame([agenda.size, time.pendingCount], [0, 0])
})

test('is never early, even if timers are', async (t) => {
  const { time, due, add } = setUp(() => -0.9)
  for (let delayMs = 10; delayMs < 3000; delayMs += 77.7) add('', delayMs)
  time.advance(3000)
  t.equal(due.length, 39)
  t.ok(due.every(([, lateMs]) => lateMs >= 0 && lateMs <= 1), JSON.stringify(due))
})

test('waits for a day, though a timer lasts a second at most', async (t) => {
  const { time, due, add } = setUp()
  add('far', DAY_MS)
  time.advance(DAY_MS - 1)
  t.strictSame(due, [])
  time.advance(1)
  t.strictSame(due, [['far', 0]])
})

test('items that a clock step skips are due within a second, in the order of their times', async (t) => {
  const { time, due, add } = setUp()
  add('second', 3_600_000)
  add('first', 3_500_000)
  time.step(3_600_000)
  time.advance(1000)
  t.strictSame(due.map(([name]) => name), ['first', 'second'])
})

test('after a step back, items wait that much longer', async (t) => {
  const { time, due, add } = setUp()
  add('x', 500)
  time.advance(499)
  time.step(-60_000)
  time.advance(60_000)
  t.strictSame(due, [])
  time.advance(1)
  t.strictSame(due, [['x', 0]])
})

test('after the machine has slept, items are at most a second late', async (t) => {
  const { time, due, add } = setUp()
  add('x', 10_000)
  time.suspend(9_999)
  time.advance(1)
  t.strictSame(due, [], 'nobody has noticed yet')
  time.advance(999)
  t.strictSame(due, [['x', 999]])
})

test('a deleted item is not due, even if another item due at the same time deletes it', async (t) => {
  const { time, due, agenda, add, whenDue } = setUp()
  const [, second] = [add('first', 20), add('second', 20)]
  whenDue(({ name }) => { if (name === 'first') agenda.delete(second) })
  time.advance(100)
  t.strictSame([due, [...agenda]], [[['first', 0]], []])
})

test('an item that is added while another is due becomes due, too', async (t) => {
  const { time, due, add, whenDue } = setUp()
  add('first', 20)
  whenDue(({ name }) => { if (name === 'first') add('second', 0) })
  time.advance(21)
  t.strictSame(due.map(([name]) => name), ['first', 'second'])
})

test('an exception of onDue delays no other item', async (t) => {
  const { time, due, add, whenDue } = setUp()
  for (const name of ['first', 'second', 'third']) add(name, 20)
  whenDue(({ name }) => { if (name === 'first') throw new Error('no') })
  t.throws(() => time.advance(20), { message: 'no' })
  add('fourth', 500)
  time.advance(1)
  t.strictSame(due.map(([name]) => name), ['first', 'second', 'third'])
})

test('is iterated in the order of adding, including items added meanwhile', async (t) => {
  const { agenda, add } = setUp()
  add('later', 20)
  add('sooner', 10)
  const names: string[] = []
  for (const { name } of agenda) {
    names.push(name)
    if (name === 'later') add('new', 5)
  }
  t.strictSame(names, ['later', 'sooner', 'new'])
})
