import assert from 'node:assert/strict'
import { bytesOf, createContractTest, listen, PROMPT_MS, until, wait, within } from './contract-setup.js'
import type {
  BackplaneContractOptions, BackplaneContractTest, BackplaneEngine, Setting
} from './contract-setup.js'

const MAX_SETTLE_MS = 15_000
const MAX_QUEUED_BYTES = 67_108_864
/** The number of payloads that fill the queue. */
const PARTS = 32
const MAX_RESUME_MS = 20_000
const PUBLISH_EVERY_MS = 50
/** How many errors a driver may report in a second. */
const MAX_ERRORS_PER_S = 50

/** The tests of a backplane whose engine becomes unreachable, and reachable again. */
export function createOutageTests<Engine extends BackplaneEngine> (
  options: BackplaneContractOptions<Engine>
): BackplaneContractTest[] {
  const { stopEngine, restartEngine, maxSettleMs = MAX_SETTLE_MS } = options
  const { maxResumeMs = MAX_RESUME_MS, maxQueuedBytes = MAX_QUEUED_BYTES } = options
  if (stopEngine === undefined || restartEngine === undefined) return []

  /** Connects two servers, the second of which listens, and stops the engine. */
  async function setUp ({ engine, connect }: Setting<Engine>) {
    const [one, other] = [await connect(), await connect()]
    const subscription = await listen(other)
    await one.publish(bytesOf('before'))
    await until(() => subscription.texts.includes('before'), 'the message must arrive')
    await stopEngine?.(engine)
    return { one, other, subscription }
  }

  async function settles (setting: Setting<Engine>): Promise<void> {
    const { one } = await setUp(setting)
    const published = Promise.allSettled(['a', 'b', 'c'].map((text) => one.publish(bytesOf(text))))
    await within(published, 'publish() must settle while the engine is unreachable', maxSettleMs)
  }

  async function staysBounded (setting: Setting<Engine>): Promise<void> {
    const { one } = await setUp(setting)
    const payload = Buffer.alloc(Math.ceil(maxQueuedBytes / PARTS))
    let queuedCount = 0
    for (let count = 0; count < 2 * PARTS + 2; count++) {
      queuedCount++
      const settle = () => { queuedCount-- }
      one.publish(payload).then(settle, settle)
    }
    // Up to PARTS payloads may be kept, and two more may be in flight.
    await until(() => queuedCount <= PARTS + 2,
      `no more than ${maxQueuedBytes} bytes may be kept while the engine is unreachable: the rest must settle`,
      PROMPT_MS)
  }

  async function resumes (setting: Setting<Engine>): Promise<void> {
    const { one, subscription } = await setUp(setting)
    await wait(PROMPT_MS / 2)
    await restartEngine?.(setting.engine)
    // A message may be lost while the driver reconnects.
    const timer = setInterval(() => {
      one.publish(bytesOf('after')).catch(() => {})
    }, PUBLISH_EVERY_MS)
    try {
      await until(() => subscription.texts.includes('after'),
        'delivery must resume when the engine is reachable again', maxResumeMs)
    } finally {
      clearInterval(timer)
    }
  }

  async function reports (setting: Setting<Engine>): Promise<void> {
    const startMs = performance.now()
    const { one, subscription } = await setUp(setting)
    one.publish(bytesOf('a')).catch(() => {})
    await until(() => subscription.errors.length > 0, 'onError() must be called when the engine is unreachable',
      maxSettleMs)
    await wait(PROMPT_MS)
    const maxCount = MAX_ERRORS_PER_S * (performance.now() - startMs) / 1000
    assert.ok(subscription.errors.length <= maxCount, `${subscription.errors.length} errors are a busy loop`)
  }

  async function closes (setting: Setting<Engine>): Promise<void> {
    const { one, other, subscription } = await setUp(setting)
    const published = one.publish(bytesOf('a')).catch(() => {})
    await within(Promise.all([one.close(), other.close(), subscription.end()]),
      'close() must resolve while the engine is unreachable', PROMPT_MS)
    await within(published, 'close() must settle pending publish() calls', PROMPT_MS)
  }

  return [
    createContractTest(options, 'settles publish() while the engine is unreachable', settles),
    createContractTest(options, 'keeps a bounded number of bytes while the engine is unreachable', staysBounded),
    createContractTest(options, 'resumes by itself when the engine is reachable again', resumes),
    createContractTest(options, 'reports that the engine is unreachable, but not in a busy loop', reports),
    createContractTest(options, 'closes promptly while the engine is unreachable', closes)
  ]
}
