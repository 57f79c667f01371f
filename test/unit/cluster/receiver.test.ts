import { test } from 'tap'
import { encodeEnvelope } from '../../../src/cluster/envelope.js'
import type { Broadcast, Envelope } from '../../../src/cluster/envelope.js'
import { createReceiver } from '../../../src/cluster/receiver.js'
import { createBackplaneCounters, createFakeHealth } from '../../helpers/fakes/fake-health.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const REGISTRATION = '["/time",null]'
const NOW_MS = 1795262405000
const NOTHING = createBackplaneCounters()

function setUp () {
  const { timers } = createFakeTime({ wallMs: 0 })
  const counters = createBackplaneCounters()
  const health = createFakeHealth()
  const received: number[] = []
  let newcomerCount = 0
  const deliver = createReceiver({
    identity: { registration: REGISTRATION, origin: 'own' },
    counters,
    health,
    timers,
    now: () => NOW_MS,
    onNewcomer () { newcomerCount++ },
    receive ({ key, seq }) {
      if (key === 'refused') throw new RangeError('too many')
      received.push(seq)
    }
  })
  const hear = (envelope: Envelope) => deliver(encodeEnvelope(envelope))
  return { counters, health, received, deliver, hear, countNewcomers: () => newcomerCount }
}

function message (seq: number, change: Partial<Broadcast> = {}): Broadcast {
  const sender = { registration: REGISTRATION, origin: 'other', seq }
  const content = { kind: 'text', text: 'a' } as const
  return { type: 'broadcast', ...sender, sent: NOW_MS, content, ...change }
}

function alive (seq: number): Envelope {
  return { type: 'alive', registration: REGISTRATION, origin: 'other', seq }
}

test('takes messages in order, and counts them', async (t) => {
  const { counters, received, hear } = setUp()
  for (const seq of [1, 2, 3]) hear(message(seq))
  t.strictSame(received, [1, 2, 3])
  t.strictSame(counters, { ...NOTHING, received: 3 })
})

test('leaves out its own echoes, and uncounted', async (t) => {
  const { counters, received, health, hear } = setUp()
  hear(message(1, { origin: 'own' }))
  t.strictSame([received, counters], [[], NOTHING])
  t.strictSame(health.told, ['reading'], 'but they show that reading works')
})

test('leaves out the messages of other registrations, uncounted', async (t) => {
  const { counters, received, hear, countNewcomers } = setUp()
  hear(message(1, { registration: '["/time","auction"]' }))
  t.strictSame([received, counters, countNewcomers()], [[], NOTHING, 0])
})

test('leaves out duplicates, and what comes after a later one', async (t) => {
  const { counters, received, hear } = setUp()
  for (const seq of [1, 1, 3, 2, 1]) hear(message(seq))
  t.strictSame(received, [1, 3])
  t.strictSame(counters, { ...NOTHING, received: 2, lost: 1, duplicate: 3 })
})

test('counts the gaps of each origin', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1))
  hear(message(9, { origin: 'third' }))
  hear(message(4))
  hear(message(10, { origin: 'third' }))
  t.strictSame(received, [1, 9, 4, 10])
  t.strictSame(counters, { ...NOTHING, received: 4, lost: 2 })
})

test('counts a tail that was lost when the origin tells how far it is', async (t) => {
  const { counters, hear } = setUp()
  hear(alive(0))
  hear(alive(3))
  hear(message(4))
  t.strictSame(counters, { ...NOTHING, received: 1, lost: 3 })
})

test('leaves out what is older than ten seconds, and counts it once', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1, { sent: NOW_MS - 10_000 }))
  hear(message(2, { sent: NOW_MS - 10_000.5 }))
  hear(message(3))
  t.strictSame(received, [1, 3])
  t.strictSame(counters, { ...NOTHING, received: 2, stale: 1 })
})

test('takes what seems to come from the future: clocks differ', async (t) => {
  const { received, hear } = setUp()
  hear(message(1, { sent: NOW_MS + 60_000 }))
  t.strictSame(received, [1])
})

test('counts what is no message, and goes on', async (t) => {
  const { counters, received, deliver, hear } = setUp()
  for (const text of ['', 'poison\n', '{"v":2}\n']) deliver(Buffer.from(text))
  hear(message(1))
  t.strictSame(received, [1])
  t.strictSame(counters, { ...NOTHING, received: 1, invalid: 3 })
})

test('tells of each newcomer once', async (t) => {
  const { hear, countNewcomers } = setUp()
  hear(alive(0))
  hear(message(1))
  hear(message(1, { origin: 'third' }))
  t.equal(countNewcomers(), 2)
})

test('counts what cannot be taken as lost, and goes on', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1, { key: 'refused' }))
  hear(message(2))
  t.strictSame(received, [2])
  t.strictSame(counters, { ...NOTHING, received: 1, lost: 1 })
})

test('takes a cancel in order with messages', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1))
  hear({ type: 'cancel', registration: REGISTRATION, origin: 'other', seq: 2, sent: NOW_MS, key: 'a' })
  t.strictSame([received, counters.received], [[1, 2], 2])
})
