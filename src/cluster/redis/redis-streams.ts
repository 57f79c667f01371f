import { once } from 'node:events'
import type { Backplane, Deliver } from '../../api/backplane.js'
import { BackplaneClosedError } from '../../api/errors.js'
import { systemTimers as timers } from '../../util/timers.js'
import type { RedisClient } from './redis-client.js'
import { resolveRedisStreamsOptions } from './redis-options.js'
import type { RedisStreamsOptions } from './redis-options.js'
import { createReader } from './stream-reader.js'
import type { Reader } from './stream-reader.js'
import { createWriter } from './stream-writer.js'

interface Subscriber {
  readonly deliver: Deliver
  readonly onError: (err: unknown) => void
}

/**
 * A backplane over one stream of Redis 5 or later, for the option `backplane`.
 *
 * Messages are written through the client that is handed in, which is never closed, and read
 * through a duplicate of it, which is. While Redis is away, messages wait, within bounds; reading
 * goes on where it stopped, so that what Redis has kept is not lost.
 *
 * @param client an ioredis client, such as `app.redis` of `@fastify/redis`.
 * @throws {InvalidOptionError} for an argument that is wrong.
 */
export function redisStreams (client: RedisClient, options: RedisStreamsOptions = {}): Backplane {
  const { key, maxLength, maxQueueAge, maxQueueBytes } = resolveRedisStreamsOptions(client, options)
  const subscribers = new Set<Subscriber>()
  let reader: Reader | undefined
  const closing = new AbortController()

  const writer = createWriter({
    append: (payload) => client.call('XADD', [
      key, 'MAXLEN', '~', maxLength, '*', 'd', toBuffer(payload)
    ]),
    // One that has not been connected yet connects when it is used.
    isReady: () => client.status === 'ready' || client.status === 'wait',
    onError: tellError,
    maxQueueAge,
    maxQueueBytes,
    timers
  })
  client.on('ready', writer.reconnected)

  function tellError (err: unknown): void {
    for (const { onError } of subscribers) onError(err)
  }

  function createSharedReader (): Reader {
    return createReader({
      client,
      key,
      timers,
      onEntry (payload) {
        for (const subscriber of subscribers) tell(subscriber, payload)
      },
      onError: tellError,
      onReady () {
        // Redis is back: there is no point in waiting for the next attempt.
        if (client.status === 'reconnecting') client.connect().catch(() => {})
      }
    })
  }

  async function unsubscribe (subscriber: Subscriber): Promise<void> {
    subscribers.delete(subscriber)
    if (subscribers.size > 0) return
    reader?.stop()
    reader = undefined
  }

  return {
    publish: writer.write,
    async subscribe (deliver, onError) {
      closing.signal.throwIfAborted()
      const subscriber = { deliver, onError }
      subscribers.add(subscriber)
      reader ??= createSharedReader()
      await Promise.race([reader.started, once(closing.signal, 'abort')])
      closing.signal.throwIfAborted()
      return () => unsubscribe(subscriber)
    },
    async close () {
      closing.abort(new BackplaneClosedError())
      client.off('ready', writer.reconnected)
      writer.close()
      subscribers.clear()
      reader?.stop()
      reader = undefined
    }
  }
}

/** One that throws must not keep it from the others. */
function tell ({ deliver, onError }: Subscriber, payload: Uint8Array): void {
  try {
    deliver(payload)
  } catch (err) {
    onError(err)
  }
}

/** The same bytes, as ioredis takes them. */
function toBuffer ({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
