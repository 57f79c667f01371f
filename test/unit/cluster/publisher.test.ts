import { test } from 'tap'
import { createPublisher } from '../../../src/cluster/publisher.js'
import { decodePayload } from '../../../src/cluster/format-choice.js'
import { createMemoryEngine } from '../../helpers/backplane/memory.js'
import { createBackplaneCounters, createFakeHealth } from '../../helpers/fakes/fake-health.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const IDENTITY = { registration: '["/time",null]', peer: 'own' }
const NOW_MS = 1795262405000
const CONTENT = { kind: 'text', text: 'a' } as const

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  const counters = createBackplaneCounters()
  const health = createFakeHealth()
  const engine = createMemoryEngine()
  const backplane = engine.connect()
  const format = { mustUseOldFormat: true }
  const publisher = createPublisher({
    backplane,
    identity: IDENTITY,
    format: { mustUseOldFormat: () => format.mustUseOldFormat, noticePeer () {} },
    counters,
    health,
    timers: time.timers,
    now: () => NOW_MS
  })
  const published = () => engine.published.flatMap((payload) => decodePayload(payload) ?? [])
  return { time, format, counters, health, engine, backplane, publisher, published }
}

test('numbers broadcasts and cancels, and counts them', async (t) => {
  const { counters, publisher, published } = setUp()
  publisher.send({ type: 'broadcast', content: CONTENT })
  publisher.send({ type: 'cancel', key: 'end' })
  const sender = { ...IDENTITY, sent: NOW_MS }
  const absent = { where: undefined, except: undefined, at: undefined, key: undefined }
  t.strictSame(published(), [
    { type: 'broadcast', ...sender, seq: 1, ...absent, content: CONTENT },
    { type: 'cancel', ...sender, seq: 2, key: 'end' }
  ])
  t.equal(counters.published, 2)
})

test('sends the number of the latest message in an alive message', async (t) => {
  const { counters, publisher, published } = setUp()
  publisher.sendAlive()
  await publisher.whenIdle()
  publisher.send({ type: 'broadcast', content: CONTENT })
  publisher.sendAlive()
  const signs = published().filter((envelope) => envelope.type === 'alive')
  t.strictSame(signs, [0, 1].map((seq) => ({ type: 'alive', ...IDENTITY, seq, reads: 2 })))
  t.equal(counters.published, 1)
})

test('sends no alive message while one is unconfirmed, and measures how long that takes', async (t) => {
  const { time, publisher, published } = setUp()
  t.equal(publisher.waitedMs, 0)
  publisher.sendAlive()
  time.advance(1500)
  publisher.sendAlive()
  t.strictSame([publisher.waitedMs, published().length], [1500, 1])
  await publisher.whenIdle()
  t.equal(publisher.waitedMs, 0)
})

test('reports failures and successes', async (t) => {
  const { engine, health, publisher } = setUp()
  engine.isUp = false
  publisher.send({ type: 'broadcast', content: CONTENT })
  await publisher.whenIdle()
  engine.isUp = true
  publisher.send({ type: 'broadcast', content: CONTENT })
  await publisher.whenIdle()
  t.strictSame(health.told, [['publishing', new Error('the engine is down')], 'publishing'])
})

test('survives a backplane that throws instead of rejecting', async (t) => {
  const { backplane, health, publisher } = setUp()
  const failure = new Error('thrown')
  backplane.publish = () => { throw failure }
  publisher.send({ type: 'broadcast', content: CONTENT })
  await publisher.whenIdle()
  t.strictSame(health.told, [['publishing', failure]])
})

test('is idle once nothing is in flight', async (t) => {
  const { backplane, publisher } = setUp()
  const { publish } = backplane
  let release = (): void => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  backplane.publish = (payload) => held.then(() => publish(payload))
  publisher.send({ type: 'broadcast', content: CONTENT })
  let isIdle = false
  const idle = publisher.whenIdle().then(() => { isIdle = true })
  await new Promise(setImmediate)
  t.equal(isIdle, false)
  release()
  await idle
})

const TEXT_OF_40_KB = { type: 'broadcast', content: { kind: 'text', text: 'a'.repeat(40_000) } } as const

/** With a backplane that confirms a payload only when the test says so. */
function setUpNew () {
  const setting = setUp()
  const { backplane, format } = setting
  const confirmations: (() => void)[] = []
  const payloads: Uint8Array[] = []
  backplane.publish = (payload) => {
    payloads.push(payload)
    return new Promise((resolve) => confirmations.push(resolve))
  }
  format.mustUseOldFormat = false
  const seqs = () => payloads.map((payload) => decodePayload(payload)?.map(({ seq }) => seq))
  async function confirm (): Promise<void> {
    confirmations.shift()?.()
    await settle()
  }
  return { ...setting, seqs, confirm }
}

async function settle (): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

test('packs the messages of one callback, and sends them when it returns', async (t) => {
  const { publisher, seqs } = setUpNew()
  for (let count = 0; count < 3; count++) publisher.send({ type: 'cancel', key: 'a' })
  t.strictSame(seqs(), [])
  await Promise.resolve()
  t.strictSame(seqs(), [[1, 2, 3]])
})

test('packs the messages of one turn of the event loop while a payload is unconfirmed', async (t) => {
  const { time, publisher, seqs } = setUpNew()
  publisher.send({ type: 'cancel', key: 'a' })
  await settle()
  for (let count = 0; count < 2; count++) {
    publisher.send({ type: 'cancel', key: 'b' })
    await settle()
  }
  t.strictSame(seqs(), [[1]])
  time.advance(1)
  t.strictSame(seqs(), [[1], [2, 3]])
})

test('packs at most 64 KiB', async (t) => {
  const { time, publisher, seqs } = setUpNew()
  for (let count = 0; count < 3; count++) publisher.send(TEXT_OF_40_KB)
  t.strictSame(seqs(), [[1], [2]])
  time.advance(1)
  t.strictSame(seqs(), [[1], [2], [3]])
})

test('collects messages while sixteen payloads are unconfirmed', async (t) => {
  const { time, publisher, seqs, confirm } = setUpNew()
  for (let count = 0; count < 20; count++) {
    publisher.send({ type: 'cancel', key: 'a' })
    await settle()
    time.advance(1)
  }
  t.equal(seqs().length, 16)
  await confirm()
  t.strictSame(seqs().slice(16), [[17, 18, 19, 20]])
})

test('does not flush before the end of the turn when a payload is confirmed', async (t) => {
  const { time, publisher, seqs, confirm } = setUpNew()
  publisher.send({ type: 'cancel', key: 'a' })
  await settle()
  publisher.send({ type: 'cancel', key: 'b' })
  await confirm()
  t.strictSame(seqs(), [[1]])
  time.advance(1)
  t.strictSame(seqs(), [[1], [2]])
})

test('sends a pack before the alive message that includes its messages', async (t) => {
  const { time, publisher, seqs } = setUpNew()
  publisher.send({ type: 'cancel', key: 'a' })
  publisher.sendAlive()
  publisher.send({ type: 'cancel', key: 'b' })
  await settle()
  t.strictSame(seqs(), [[1], [1]])
  time.advance(1)
  t.strictSame(seqs(), [[1], [1], [2]])
})

test('keeps the order when the format changes', async (t) => {
  const { time, format, publisher, seqs } = setUpNew()
  publisher.send({ type: 'cancel', key: 'a' })
  format.mustUseOldFormat = true
  publisher.send({ type: 'cancel', key: 'b' })
  format.mustUseOldFormat = false
  publisher.send({ type: 'cancel', key: 'c' })
  await settle()
  time.advance(1)
  t.strictSame(seqs(), [[1], [2], [3]])
})

test('sends the current pack before it is idle', async (t) => {
  const { publisher, seqs, confirm } = setUpNew()
  publisher.send({ type: 'cancel', key: 'a' })
  const idle = publisher.whenIdle()
  t.strictSame(seqs(), [[1]])
  await confirm()
  await idle
})

test('copies bytes that may change', async (t) => {
  const { format, publisher, published } = setUp()
  format.mustUseOldFormat = false
  const bytes = Buffer.from('before')
  publisher.send({ type: 'broadcast', content: { kind: 'binary', bytes } })
  bytes.write('behind')
  await settle()
  t.match(published(), [{ content: { kind: 'binary', bytes: Buffer.from('before') } }])
})
