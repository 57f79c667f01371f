import { test } from 'tap'
import { decodeEnvelope } from '../../../src/cluster/envelope.js'
import { createPublisher } from '../../../src/cluster/publisher.js'
import { createMemoryEngine } from '../../helpers/backplane/memory.js'
import { createBackplaneCounters, createFakeHealth } from '../../helpers/fakes/fake-health.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const IDENTITY = { registration: '["/time",null]', origin: 'own' }
const NOW_MS = 1795262405000
const CONTENT = { kind: 'text', text: 'a' } as const

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  const counters = createBackplaneCounters()
  const health = createFakeHealth()
  const engine = createMemoryEngine()
  const backplane = engine.connect()
  const publisher = createPublisher({
    backplane, identity: IDENTITY, counters, health, timers: time.timers, now: () => NOW_MS
  })
  const published = () => engine.published.map(decodeEnvelope)
  return { time, counters, health, engine, backplane, publisher, published }
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

test('tells with a sign of life which message is the latest', async (t) => {
  const { counters, publisher, published } = setUp()
  publisher.sendAlive()
  await publisher.whenIdle()
  publisher.send({ type: 'broadcast', content: CONTENT })
  publisher.sendAlive()
  const signs = published().filter((envelope) => envelope?.type === 'alive')
  t.strictSame(signs, [0, 1].map((seq) => ({ type: 'alive', ...IDENTITY, seq })))
  t.equal(counters.published, 1)
})

test('sends no sign of life while one is on its way, and says how long that takes', async (t) => {
  const { time, publisher, published } = setUp()
  t.equal(publisher.waitedMs, 0)
  publisher.sendAlive()
  time.advance(1500)
  publisher.sendAlive()
  t.strictSame([publisher.waitedMs, published().length], [1500, 1])
  await publisher.whenIdle()
  t.equal(publisher.waitedMs, 0)
})

test('tells of failures and successes', async (t) => {
  const { engine, health, publisher } = setUp()
  engine.isUp = false
  publisher.send({ type: 'broadcast', content: CONTENT })
  await publisher.whenIdle()
  engine.isUp = true
  publisher.send({ type: 'broadcast', content: CONTENT })
  await publisher.whenIdle()
  t.strictSame(health.told, [['publishing', new Error('the engine is down')], 'publishing'])
})

test('survives a backplane that throws rather than rejects', async (t) => {
  const { backplane, health, publisher } = setUp()
  const failure = new Error('thrown')
  backplane.publish = () => { throw failure }
  publisher.send({ type: 'broadcast', content: CONTENT })
  await publisher.whenIdle()
  t.strictSame(health.told, [['publishing', failure]])
})

test('is idle once nothing is on its way any more', async (t) => {
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
