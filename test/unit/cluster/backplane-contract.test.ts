import { test } from 'tap'
import type { Backplane } from '../../../src/api/backplane.js'
import { backplaneContract } from '../../../src/cluster/contract/index.js'
import type { BackplaneContractOptions } from '../../../src/cluster/contract/index.js'
import { testBackplane } from '../../helpers/backplane/contract.js'
import { createMemoryEngine } from '../../helpers/backplane/memory.js'
import type { MemoryEngine } from '../../helpers/backplane/memory.js'

const DOWN = new Error('the engine is down')

const CONTRACT: BackplaneContractOptions<MemoryEngine> = {
  startEngine: createMemoryEngine,
  stopEngine (engine) {
    engine.isUp = false
    engine.fail(DOWN)
  },
  restartEngine (engine) { engine.isUp = true },
  isClientOpen: (engine) => engine.isUp,
  maxSettleMs: 20_000,
  maxResumeMs: 20_000,
  maxQueuedBytes: 1000
}

testBackplane('the one in memory', CONTRACT)
testBackplane('one that repeats messages, as it may,', { ...CONTRACT, startEngine: createRepeatingEngine })

/** Delivers each message twice, and in between the one before it once more. */
function createRepeatingEngine (): MemoryEngine {
  const engine = createMemoryEngine()
  let previous: readonly Uint8Array[] = []
  engine.distort = (payload) => {
    const payloads = [payload, ...previous, payload]
    previous = [payload]
    return payloads
  }
  return engine
}

test('the contract has no outage tests without the hooks that they need', async (t) => {
  const titles = backplaneContract({ startEngine: createMemoryEngine }).map(({ title }) => title)
  t.equal(titles.length, 10)
  t.notOk(titles.some((title) => /reachable|given/.test(title)))
})

/** Makes a driver of the one in memory that breaks the contract. */
type Break = (backplane: Backplane, engine: MemoryEngine) => Partial<Backplane>

const never = new Promise<never>(() => {})

const broken: [fault: string, title: RegExp, spoil: Break][] = [
  ['changes the bytes', /delivers any bytes unchanged/,
    ({ publish }) => ({ publish: (payload) => publish(Buffer.from(String(payload))) })],
  ['has no time limit', /settles publish\(\) while the engine is unreachable/,
    ({ publish }, engine) => ({ publish: (payload) => engine.isUp ? publish(payload) : never })],
  ['keeps everything', /keeps a bounded number of bytes/,
    ({ publish }, engine) => ({ publish: (payload) => engine.isUp ? publish(payload) : never })],
  ['does not resume', /resumes by itself/,
    ({ publish }, engine) => ({
      publish: (payload) => engine.isUp && engine.published.length < 1 ? publish(payload) : never
    })],
  ['does not report an outage', /reports that the engine is unreachable/,
    ({ subscribe }) => ({ subscribe: (deliver) => subscribe(deliver, () => {}) })],
  ['reports failures in a busy loop', /not in a busy loop/,
    ({ subscribe }) => ({
      subscribe: (deliver, onError) => subscribe(deliver, (err) => {
        for (let count = 0; count < 1000; count++) onError(err)
      })
    })],
  ['does not close during an outage', /closes promptly while/,
    ({ close }, engine) => ({ close: () => engine.isUp ? close() : never })],
  ['closes the client that it was given', /does not close the client that it was given/,
    ({ close }, engine) => ({
      async close () {
        await close()
        engine.isUp = false
      }
    })]
]

test('a driver that breaks the contract does not pass', async (t) => {
  // Together: each waits for a limit.
  const passed = await Promise.all(broken.map(async ([fault, expected, spoil]) => {
    const contract = backplaneContract({
      ...CONTRACT,
      maxSettleMs: 1000,
      maxResumeMs: 1000,
      startEngine () {
        const engine = createMemoryEngine()
        const { connect } = engine
        engine.connect = () => {
          const backplane = connect()
          return Object.assign(backplane, spoil({ ...backplane }, engine))
        }
        return engine
      }
    })
    const found = contract.find(({ title }) => expected.test(title))
    return await found?.run().then(() => `passes: ${fault}`, () => `fails: ${fault}`)
  }))
  t.strictSame(passed, broken.map(([fault]) => `fails: ${fault}`))
})

test('a failure with a large message is reported in a few lines', async (t) => {
  const startEngine = () => {
    const engine = createMemoryEngine()
    engine.distort = (payload) => [Buffer.from(payload).reverse()]
    return engine
  }
  const contract = backplaneContract({ ...CONTRACT, startEngine })
  const keepsBytes = contract.find(({ title }) => title === 'delivers any bytes unchanged')
  const { message } = await keepsBytes?.run().catch((err) => err)
  t.match(message, /1000000 bytes, SHA-256 [0-9a-f]{64}/)
  t.ok(message.length < 2000, `${message.length} characters`)
})

test('an engine is closed after each test, even if the test failed', async (t) => {
  const closed: unknown[] = []
  const startEngine = () => ({ ...createMemoryEngine(), connect: () => { throw DOWN } })
  const [first] = backplaneContract({
    ...CONTRACT, startEngine, closeEngine: (engine) => closed.push(engine)
  })
  await t.rejects(async () => { await first?.run() }, DOWN)
  t.equal(closed.length, 1)
})
