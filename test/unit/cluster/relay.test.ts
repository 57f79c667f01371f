import { test } from 'tap'
import type { Backplane } from '../../../src/api/backplane.js'
import { decodeJson, encodeJson } from '../../../src/cluster/json-format.js'
import { createRelay } from '../../../src/cluster/relay.js'
import { decodePayload } from '../../../src/cluster/format-choice.js'
import { createMemoryEngine } from '../../helpers/backplane/memory.js'
import { createBackplaneCounters } from '../../helpers/fakes/fake-health.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const CONTENT = { kind: 'text', text: 'a' } as const

function setUp (given?: Backplane) {
  const engine = createMemoryEngine()
  const time = createFakeTime({ wallMs: 0 })
  const lines: string[] = []
  const write = (_fields: object, message: string) => { lines.push(message) }

  function createServer (backplane = given ?? engine.connect(), registration = '["/time",null]') {
    const counters = createBackplaneCounters()
    const received: string[] = []
    const relay = createRelay({
      backplane,
      registration,
      counters,
      timers: time.timers,
      now: time.clock.now,
      log: { debug () {}, info: write, warn: write, error: write },
      receive (message) {
        received.push(message.type === 'broadcast' ? String(message.key) : `cancel ${message.key}`)
      }
    })
    return { relay, counters, received, backplane }
  }
  /** What was published of a type. */
  const published = (type: string) => engine.published
    .flatMap((payload) => decodePayload(payload) ?? [])
    .filter((envelope) => envelope.type === type).map(({ seq }) => seq)
  return { engine, time, lines, createServer, published }
}

/** Lets everything happen that waits for nothing but promises. */
async function settle (): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

async function passSeconds (time: ReturnType<typeof createFakeTime>, count: number): Promise<void> {
  for (let second = 0; second < count; second++) {
    time.advance(1000)
    await settle()
  }
  // What waits for the next turn.
  time.advance(1)
  await settle()
}

test('sends a message to the other servers, and not back', async (t) => {
  const { createServer } = setUp()
  const servers = [createServer(), createServer(), createServer()]
  for (const { relay } of servers) await relay.start()
  servers[0]?.relay.send({ type: 'broadcast', key: 'a', content: CONTENT })
  servers[1]?.relay.send({ type: 'cancel', key: 'a' })
  await settle()
  t.strictSame(servers.map(({ received }) => received), [['cancel a'], ['a'], ['a', 'cancel a']])
  t.strictSame(servers.map(({ counters }) => [counters.published, counters.received]),
    [[1, 1], [1, 1], [0, 2]])
})

test('keeps registrations that share a backplane apart', async (t) => {
  const { createServer } = setUp()
  const one = createServer()
  const other = createServer(one.backplane, '["/auction",null]')
  await one.relay.start()
  await other.relay.start()
  one.relay.send({ type: 'broadcast', key: 'a', content: CONTENT })
  await settle()
  t.strictSame([one.received, other.received], [[], []])
})

test('publishes an alive message every second, starting at once', async (t) => {
  const { time, createServer, published } = setUp()
  const { relay } = createServer()
  await relay.start()
  relay.send({ type: 'broadcast', content: CONTENT })
  await passSeconds(time, 3)
  t.strictSame(published('alive'), [0, 1, 1, 1])
})

test('sends a new peer its number at once: later losses are counted', async (t) => {
  const { engine, time, createServer } = setUp()
  const old = createServer()
  await old.relay.start()
  old.relay.send({ type: 'broadcast', content: CONTENT })
  await settle()
  const young = createServer()
  await young.relay.start()
  await settle()
  engine.distort = () => []
  old.relay.send({ type: 'broadcast', content: CONTENT })
  await settle()
  engine.distort = (payload) => [payload]
  await passSeconds(time, 1)
  t.strictSame([young.counters.received, young.counters.lost], [0, 1])
})

test('counts lost last messages within two seconds, whatever else is lost', async (t) => {
  const { engine, time, createServer } = setUp()
  const [one, other] = [createServer(), createServer()]
  await one.relay.start()
  await other.relay.start()
  await settle()
  engine.distort = () => []
  for (let count = 0; count < 5; count++) one.relay.send({ type: 'broadcast', content: CONTENT })
  await settle()
  engine.distort = (payload) => [payload]
  await passSeconds(time, 2)
  t.equal(other.counters.lost, 5)
})

test('delivers messages that an engine repeats once and in order', async (t) => {
  const { engine, createServer } = setUp()
  const [one, other] = [createServer(), createServer()]
  await one.relay.start()
  await other.relay.start()
  const all: Uint8Array[] = []
  engine.distort = (payload) => {
    all.push(payload)
    return [...all, ...all]
  }
  for (const key of ['a', 'b', 'c']) one.relay.send({ type: 'broadcast', key, content: CONTENT })
  await settle()
  t.strictSame(other.received, ['a', 'b', 'c'])
  t.strictSame([other.counters.lost, other.counters.duplicate > 0], [0, true])
})

test('starts without an engine, and subscribes as soon as there is one', async (t) => {
  const { engine, time, lines, createServer } = setUp()
  engine.isUp = false
  const [one, other] = [createServer(), createServer()]
  await one.relay.start()
  await other.relay.start()
  await passSeconds(time, 3)
  t.equal(engine.subscriberCount, 0)
  engine.isUp = true
  await passSeconds(time, 1)
  t.equal(engine.subscriberCount, 2)
  one.relay.send({ type: 'broadcast', key: 'a', content: CONTENT })
  await passSeconds(time, 3)
  t.strictSame(other.received, ['a'])
  t.strictSame(lines, [
    'the backplane failed', 'the backplane failed', 'the backplane is back', 'the backplane is back'
  ])
})

test('waits at most two seconds for an engine that does not answer', async (t) => {
  const { time, createServer } = setUp(createMute())
  const { relay } = createServer()
  let hasStarted = false
  const started = relay.start().then(() => { hasStarted = true })
  time.advance(1999)
  await settle()
  t.equal(hasStarted, false)
  time.advance(1)
  await started
})

test('notices an engine that accepts messages and never confirms them', async (t) => {
  const { time, lines, createServer } = setUp(createMute())
  const { relay, counters } = createServer()
  relay.start()
  await passSeconds(time, 2)
  t.strictSame([lines, counters.errors], [['the backplane failed'], 1])
})

test('counts the failures that the backplane reports', async (t) => {
  const { engine, lines, createServer } = setUp()
  const { relay, counters } = createServer()
  await relay.start()
  engine.fail(new Error('ECONNRESET'))
  t.strictSame([counters.errors, lines], [1, ['the backplane failed']])
})

test('does not mistake a stall of its own process for an outage', async (t) => {
  const { time, lines, createServer } = setUp()
  const { relay } = createServer()
  await relay.start()
  await settle()
  // The answer to the sign of life is there, but nobody has looked.
  time.stall(1000)
  time.stall(3000)
  await settle()
  await passSeconds(time, 1)
  t.strictSame(lines, [])
})

test('refuses to start with a closed backplane', async (t) => {
  const { createServer } = setUp()
  const { relay, backplane } = createServer()
  await backplane.close()
  await t.rejects(relay.start(), { code: 'FST_TIME_SOCKET_BACKPLANE_CLOSED' })
})

test('closes a backplane when its last user closes', async (t) => {
  const { engine, createServer } = setUp()
  const one = createServer()
  const other = createServer(one.backplane, '["/auction",null]')
  await one.relay.start()
  await other.relay.start()
  await one.relay.close()
  t.equal(engine.subscriberCount, 1)
  await one.backplane.publish(Buffer.from('still open'))
  await other.relay.close()
  t.equal(engine.subscriberCount, 0)
  await t.rejects(one.backplane.publish(Buffer.from('closed')))
})

test('publishes all messages, and their number, before it closes', async (t) => {
  const { createServer, published } = setUp()
  const { relay } = createServer()
  await relay.start()
  relay.send({ type: 'broadcast', content: CONTENT })
  await relay.close()
  t.strictSame([published('broadcast'), published('alive')], [[1], [0, 1]])
})

test('closes within 350 ms, whatever the engine does', async (t) => {
  const { time, createServer } = setUp(createMute())
  const { relay } = createServer()
  relay.start()
  const closed = relay.close()
  t.equal(relay.close(), closed, 'whenever called')
  time.advance(200)
  await settle()
  time.advance(150)
  await closed
  time.advance(5000)
  t.equal(time.pendingCount, 0)
})

test('can be closed before it has started', async (t) => {
  const { createServer } = setUp()
  const { relay, backplane } = createServer()
  await relay.close()
  await t.rejects(backplane.publish(Buffer.from('closed')))
})

test('ends a subscription that starts after it has closed', async (t) => {
  const { engine, time, createServer } = setUp()
  const backplane = engine.connect()
  const { subscribe } = backplane
  let release = (): void => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  backplane.subscribe = (...args) => held.then(() => subscribe(...args))
  backplane.close = async () => {}
  const { relay } = createServer(backplane)
  relay.start()
  const closed = relay.close()
  await settle()
  time.advance(150)
  await closed
  release()
  await settle()
  t.equal(engine.subscriberCount, 0)
})

/** Takes everything and answers nothing. */
function createMute (): Backplane {
  const never = new Promise<never>(() => {})
  return { publish: () => never, subscribe: () => never, close: () => never }
}

/** When every server is of this version. */
const UPDATED_S = 13

test('packs messages once every server has this version', async (t) => {
  const { engine, time, createServer } = setUp()
  const [one, other] = [createServer(), createServer()]
  await one.relay.start()
  await other.relay.start()
  await passSeconds(time, UPDATED_S)
  const before = engine.published.length
  for (const key of ['a', 'b']) one.relay.send({ type: 'broadcast', key, content: CONTENT })
  await settle()
  time.advance(1)
  await settle()
  t.equal(engine.published.length, before + 1)
  t.strictSame(other.received, ['a', 'b'])
})

/**
 * A server of the first version, which read and wrote format 1 only. Its signs of life did not say
 * what it reads.
 */
function createOldServer (backplane: Backplane, now: () => number) {
  const received: string[] = []
  const registration = '["/time",null]'
  const peer = 'old'
  let seq = 0
  let invalidCount = 0
  const publish = (envelope: object) => backplane.publish(
    Buffer.from(Buffer.from(encodeJson(envelope as never)).toString().replace(/,"reads":\d+/, ''))
  )
  backplane.subscribe((payload) => {
    const envelope = decodeJson(payload)
    if (envelope === undefined) invalidCount++
    else if (envelope.type === 'broadcast' && envelope.peer !== peer) received.push(String(envelope.key))
  }, () => {})
  return {
    received,
    countInvalid: () => invalidCount,
    send (key: string) {
      const message = { type: 'broadcast', key, sent: now(), content: CONTENT }
      return publish({ ...message, registration, peer, seq: ++seq })
    },
    sendAlive: () => publish({ type: 'alive', registration, peer, seq, reads: 1 })
  }
}

test('loses and repeats nothing in a rolling update from the first version', async (t) => {
  const { engine, time, createServer } = setUp()
  const old = createOldServer(engine.connect(), time.clock.now)
  const [one, other] = [createServer(), createServer()]
  const keys: string[] = []

  /** Broadcasts of both servers of this version, and while it lives of the old one. */
  async function runTraffic (seconds: number, isOldAlive: boolean): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      const key = `${keys.length}`
      keys.push(key)
      one.relay.send({ type: 'broadcast', key, content: CONTENT })
      if (isOldAlive) {
        await old.send(key)
        await old.sendAlive()
      }
      await passSeconds(time, 1)
    }
  }

  await one.relay.start()
  await other.relay.start()
  await runTraffic(40, true)
  t.strictSame(old.received, keys)
  const twice = keys.flatMap((key) => [key, key])
  await runTraffic(40, false)
  t.strictSame(other.received, [...twice, ...keys.slice(40)])
  t.strictSame([old.countInvalid() > 0, other.counters.lost, other.counters.invalid], [true, 0, 0])
})

test('writes format 1 again within a second after a server of the first version appears', async (t) => {
  const { engine, time, createServer } = setUp()
  const one = createServer()
  await one.relay.start()
  await passSeconds(time, UPDATED_S)
  const old = createOldServer(engine.connect(), time.clock.now)
  await old.sendAlive()
  await settle()
  one.relay.send({ type: 'broadcast', key: 'a', content: CONTENT })
  await settle()
  t.strictSame([old.received, old.countInvalid()], [['a'], 0])
})
