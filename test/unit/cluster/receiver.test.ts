import { test } from 'tap'
import { encodePack, encodeSender, prepareMessage } from '../../../src/cluster/binary-format.js'
import type { Broadcast, Envelope } from '../../../src/cluster/envelope.js'
import { encodeJson } from '../../../src/cluster/json-format.js'
import { createReceiver } from '../../../src/cluster/receiver.js'
import { createBackplaneCounters, createFakeHealth } from '../../helpers/fakes/fake-health.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const REGISTRATION = '["/time",null]'
const NOW_MS = 1795262405000
const FAILURE = new RangeError('too many')
const NOTHING = createBackplaneCounters()

function setUp () {
  const { timers } = createFakeTime({ wallMs: 0 })
  const reads: number[] = []
  const counters = createBackplaneCounters()
  const health = createFakeHealth()
  const received: number[] = []
  let newPeerCount = 0
  const deliver = createReceiver({
    identity: { registration: REGISTRATION, peer: 'own' },
    format: { mustUseOldFormat: () => false, noticePeer: (format) => { reads.push(format) } },
    counters,
    health,
    timers,
    now: () => NOW_MS,
    onNewPeer () { newPeerCount++ },
    receive ({ key, seq }) {
      if (key === 'refused') throw FAILURE
      received.push(seq)
    }
  })
  const hear = (envelope: Envelope) => deliver(encodeJson(envelope))
  return { counters, health, received, reads, deliver, hear, countNewPeers: () => newPeerCount }
}

function message (seq: number, change: Partial<Broadcast> = {}): Broadcast {
  const sender = { registration: REGISTRATION, peer: 'other', seq }
  const content = { kind: 'text', text: 'a' } as const
  return { type: 'broadcast', ...sender, sent: NOW_MS, content, ...change }
}

function alive (seq: number): Envelope {
  return { type: 'alive', registration: REGISTRATION, peer: 'other', seq, reads: 2 }
}

test('delivers messages in order, and counts them', async (t) => {
  const { counters, received, hear } = setUp()
  for (const seq of [1, 2, 3]) hear(message(seq))
  t.strictSame(received, [1, 2, 3])
  t.strictSame(counters, { ...NOTHING, received: 3 })
})

test('discards its own echoes without counting them', async (t) => {
  const { counters, received, health, hear } = setUp()
  hear(message(1, { peer: 'own' }))
  t.strictSame([received, counters], [[], NOTHING])
  t.strictSame(health.told, ['reading'], 'but they show that reading works')
})

test('discards messages of other registrations without counting them', async (t) => {
  const { counters, received, hear, countNewPeers } = setUp()
  hear(message(1, { registration: '["/time","auction"]' }))
  t.strictSame([received, counters, countNewPeers()], [[], NOTHING, 0])
})

test('discards duplicates, and messages that arrive after a later one', async (t) => {
  const { counters, received, hear } = setUp()
  for (const seq of [1, 1, 3, 2, 1]) hear(message(seq))
  t.strictSame(received, [1, 3])
  t.strictSame(counters, { ...NOTHING, received: 2, lost: 1, duplicate: 3 })
})

test('counts the gaps of each peer', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1))
  hear(message(9, { peer: 'third' }))
  hear(message(4))
  hear(message(10, { peer: 'third' }))
  t.strictSame(received, [1, 9, 4, 10])
  t.strictSame(counters, { ...NOTHING, received: 4, lost: 2 })
})

test('counts lost last messages when an alive message arrives', async (t) => {
  const { counters, hear } = setUp()
  hear(alive(0))
  hear(alive(3))
  hear(message(4))
  t.strictSame(counters, { ...NOTHING, received: 1, lost: 3 })
})

test('discards messages older than ten seconds, and counts them once', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1, { sent: NOW_MS - 10_000 }))
  hear(message(2, { sent: NOW_MS - 10_000.5 }))
  hear(message(3))
  t.strictSame(received, [1, 3])
  t.strictSame(counters, { ...NOTHING, received: 2, stale: 1 })
})

test('delivers messages that seem to come from the future: clocks differ', async (t) => {
  const { received, hear } = setUp()
  hear(message(1, { sent: NOW_MS + 60_000 }))
  t.strictSame(received, [1])
})

test('counts invalid payloads, and continues', async (t) => {
  const { counters, received, deliver, hear } = setUp()
  for (const text of ['', 'poison\n', '{"v":2}\n']) deliver(Buffer.from(text))
  hear(message(1))
  t.strictSame(received, [1])
  t.strictSame(counters, { ...NOTHING, received: 1, invalid: 3 })
})

test('reports each new peer once', async (t) => {
  const { hear, countNewPeers } = setUp()
  hear(alive(0))
  hear(message(1))
  hear(message(1, { peer: 'third' }))
  t.equal(countNewPeers(), 2)
})

test('counts messages that cannot be delivered as lost, and continues', async (t) => {
  const { counters, health, received, hear } = setUp()
  hear(message(1, { key: 'refused' }))
  hear(message(2))
  t.strictSame(received, [2])
  t.strictSame(health.told.filter((entry) => entry !== 'reading'), [['rejected', FAILURE]])
  t.strictSame(counters, { ...NOTHING, received: 1, lost: 1 })
})

test('delivers a cancel in order with other messages', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1))
  hear({ type: 'cancel', registration: REGISTRATION, peer: 'other', seq: 2, sent: NOW_MS, key: 'a' })
  t.strictSame([received, counters.received], [[1, 2], 2])
})

/** The payload in which a peer packs messages. */
function pack (peer: string, seq: number, keys: string[]): Uint8Array {
  const sender = encodeSender({ registration: REGISTRATION, peer })
  const content = { kind: 'text', text: 'a' } as const
  const messages = keys.map((key) => prepareMessage({ type: 'broadcast', key, content }))
  return encodePack(sender, seq, NOW_MS, messages)
}

test('delivers the messages of a pack one by one', async (t) => {
  const { counters, received, deliver } = setUp()
  deliver(pack('other', 5, ['a', 'refused', 'c']))
  deliver(pack('other', 7, ['c', 'd']))
  t.strictSame(received, [5, 7, 8])
  t.strictSame(counters, { ...NOTHING, received: 3, lost: 1, duplicate: 1 })
})

test('discards its own packs without counting them', async (t) => {
  const { counters, received, deliver } = setUp()
  deliver(pack('own', 1, ['a']))
  t.strictSame([received, counters], [[], NOTHING])
})

test('reports which wire format a peer reads', async (t) => {
  const { reads, hear } = setUp()
  hear(alive(0))
  hear({ ...alive(0), reads: 1 } as Envelope)
  t.strictSame(reads, [2, 1])
})

test('ignores a peer that claims more messages than a server can send', async (t) => {
  const { counters, received, hear } = setUp()
  hear(message(1))
  hear(alive(2 ** 53 - 1))
  hear(message(2 ** 53 - 2))
  hear(message(2))
  t.strictSame(received, [1, 2])
  t.strictSame(counters, { ...NOTHING, received: 2, invalid: 2 })
})
