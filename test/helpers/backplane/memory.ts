import type { Backplane, Deliver } from '../../../src/api/backplane.js'
import { BackplaneClosedError } from '../../../src/api/errors.js'

/** What several servers share, in one process: echoes, and can be told to misbehave. */
export interface MemoryEngine {
  /** The backplane of one more server. */
  connect (): Backplane
  /** Whether it takes anything. Default true. */
  isUp: boolean
  /** What becomes of a payload on its way: what is delivered in its place. Default: itself. */
  distort: (payload: Uint8Array) => readonly Uint8Array[]
  /** What was published, in order. */
  readonly published: readonly Uint8Array[]
  /** Reports a failure to all subscribers. */
  fail (err: Error): void
  /** How many have subscribed. */
  readonly subscriberCount: number
}

interface Subscriber {
  readonly deliver: Deliver
  readonly onError: (err: unknown) => void
}

export function createMemoryEngine (): MemoryEngine {
  const subscribers = new Set<Subscriber>()
  const published: Uint8Array[] = []
  const engine: MemoryEngine = {
    isUp: true,
    distort: (payload) => [payload],
    published,
    fail (err) {
      for (const { onError } of subscribers) onError(err)
    },
    get subscriberCount () {
      return subscribers.size
    },
    connect: () => createMemoryBackplane(engine, subscribers, published)
  }
  return engine
}

function createMemoryBackplane (
  engine: MemoryEngine, subscribers: Set<Subscriber>, published: Uint8Array[]
): Backplane {
  const own = new Set<Subscriber>()
  let isClosed = false

  function tell ({ deliver, onError }: Subscriber, payload: Uint8Array): void {
    try {
      deliver(payload)
    } catch (err) {
      onError(err)
    }
  }

  return {
    async publish (payload) {
      if (isClosed) throw new BackplaneClosedError()
      if (!engine.isUp) throw new Error('the engine is down')
      published.push(payload)
      const payloads = engine.distort(payload)
      await undefined
      for (const subscriber of subscribers) {
        for (const payload of payloads) tell(subscriber, payload)
      }
    },
    async subscribe (deliver, onError) {
      if (isClosed) throw new BackplaneClosedError()
      if (!engine.isUp) throw new Error('the engine is down')
      const subscriber = { deliver, onError }
      subscribers.add(subscriber)
      own.add(subscriber)
      return async () => {
        subscribers.delete(subscriber)
      }
    },
    async close () {
      isClosed = true
      for (const subscriber of own) subscribers.delete(subscriber)
    }
  }
}
