import assert from 'node:assert/strict'
import { bytesOf, createContractTest, listen, PROMPT_MS, until, wait, within } from './contract-setup.js'
import type {
  BackplaneContractOptions, BackplaneContractTest, BackplaneEngine, Setting
} from './contract-setup.js'

const MAX_SETTLE_MS = 15_000
const MAX_QUEUED_BYTES = 67_108_864
/** Of the payloads that fill the queue. */
const PARTS = 32
const MAX_RESUME_MS = 20_000
const PUBLISH_EVERY_MS = 50
/** How many errors a driver may report in a second. */
const MAX_ERRORS_PER_S = 50

/** What a backplane does while its engine is away, and when it is back. */
export function createOutageTests<Engine extends BackplaneEngine> (
  options: BackplaneContractOptions<Engine>
): BackplaneContractTest[] {
  const { stopEngine, restartEngine, maxSettleMs = MAX_SETTLE_MS } = options
  const { maxResumeMs = MAX_RESUME_MS, maxQueuedBytes = MAX_QUEUED_BYTES } = options
  if (stopEngine === undefined || restartEngine === undefined) return []

  /** Connects two servers, the second of which listens, and takes the engine away. */
  async function setUp ({ engine, connect }: Setting<Engine>) {
    const [one, other] = [await connect(), await connect()]
    const heard = await listen(other)
    await one.publish(bytesOf('before'))
    await until(() => heard.texts.includes('before'), 'the message must come')
    await stopEngine?.(engine)
    return { one, other, heard }
  }

  async function settles (setting: Setting<Engine>): Promise<void> {
    const { one } = await setUp(setting)
    const published = Promise.allSettled(['a', 'b', 'c'].map((text) => one.publish(bytesOf(text))))
    await within(published, 'publish() must settle while the engine is away', maxSettleMs)
  }

  async function isBounded (setting: Setting<Engine>): Promise<void> {
    const { one } = await setUp(setting)
    const payload = Buffer.alloc(Math.ceil(maxQueuedBytes / PARTS))
    let queuedCount = 0
    for (let count = 0; count < 2 * PARTS + 2; count++) {
      queuedCount++
      const settle = () => { queuedCount-- }
      one.publish(payload).then(settle, settle)
    }
    // What is kept, and what may be under way.
    await until(() => queuedCount <= PARTS + 2,
      `no more than ${maxQueuedBytes} bytes may wait for an engine that is away: the rest must settle`,
      PROMPT_MS)
  }

  async function resumes (setting: Setting<Engine>): Promise<void> {
    const { one, heard } = await setUp(setting)
    await wait(PROMPT_MS / 2)
    await restartEngine?.(setting.engine)
    // A message may be lost while the driver connects anew.
    const timer = setInterval(() => {
      one.publish(bytesOf('after')).catch(() => {})
    }, PUBLISH_EVERY_MS)
    try {
      await until(() => heard.texts.includes('after'),
        'delivery must go on when the engine is back', maxResumeMs)
    } finally {
      clearInterval(timer)
    }
  }

  async function reports (setting: Setting<Engine>): Promise<void> {
    const startMs = performance.now()
    const { one, heard } = await setUp(setting)
    one.publish(bytesOf('a')).catch(() => {})
    await until(() => heard.errors.length > 0, 'onError() must be called when the engine is away',
      maxSettleMs)
    await wait(PROMPT_MS)
    const maxCount = MAX_ERRORS_PER_S * (performance.now() - startMs) / 1000
    assert.ok(heard.errors.length <= maxCount, `${heard.errors.length} errors are a busy loop`)
  }

  async function closes (setting: Setting<Engine>): Promise<void> {
    const { one, other, heard } = await setUp(setting)
    const published = one.publish(bytesOf('a')).catch(() => {})
    await within(Promise.all([one.close(), other.close(), heard.end()]),
      'close() must resolve while the engine is away', PROMPT_MS)
    await within(published, 'close() must settle what was published', PROMPT_MS)
  }

  return [
    createContractTest(options, 'settles what is published while the engine is away', settles),
    createContractTest(options, 'keeps a bounded number of bytes for an engine that is away', isBounded),
    createContractTest(options, 'goes on by itself when the engine is back', resumes),
    createContractTest(options, 'reports that the engine is away, in no busy loop', reports),
    createContractTest(options, 'closes in no time while the engine is away', closes)
  ]
}
