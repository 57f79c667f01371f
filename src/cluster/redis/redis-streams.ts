import type { Backplane, Deliver } from '../../api/backplane.js'
import { BackplaneClosedError } from '../../api/errors.js'
import { systemTimers as timers } from '../../util/timers.js'
import type { RedisClient } from './redis-client.js'
import { createConnection } from './redis-connection.js'
import type { Connection } from './redis-connection.js'
import { isMinIdUnknown, isOfWrongServer } from './redis-errors.js'
import { resolveRedisStreamsOptions } from './redis-options.js'
import type { RedisStreamsOptions } from './redis-options.js'
import { createReader } from './stream-reader.js'
import type { Reader } from './stream-reader.js'
import { createTrimming } from './stream-trimming.js'
import type { StreamId } from './stream-trimming.js'
import { createWriter } from './stream-writer.js'

interface Subscriber {
  readonly deliver: Deliver
  readonly onError: (err: unknown) => void
}

/** How long Redis may take to confirm a message before the connection counts as dead. */
const ANSWER_MS = 5000
const MAX_IN_FLIGHT = 256
const BY_LENGTH = 'Redis is older than 6.2 and cannot trim a stream by age: it keeps the latest ' +
  '"maxLength" entries, however old, and a server that stalls may lose messages.'

/**
 * A backplane over one stream of Redis or Valkey, for the option `backplane`.
 *
 * The driver duplicates the given client, once for writing and once for reading. It sends no
 * command over the given client, and never closes it. While Redis is unreachable, messages wait,
 * within bounds. Reading resumes where it stopped, so that messages that Redis has kept are not
 * lost.
 *
 * @param client for example, `app.redis` of `@fastify/redis`.
 * @throws {InvalidOptionError} for an argument that is wrong.
 */
export function redisStreams (client: RedisClient, options: RedisStreamsOptions = {}): Backplane {
  const resolved = resolveRedisStreamsOptions(client, options)
  const { key, engine: { open, mayReorder }, maxQueueAge } = resolved
  const subscribers = new Set<Subscriber>()
  /** The functions that reject the pending calls of `subscribe`. */
  const waiting = new Set<(err: unknown) => void>()
  const trimming = createTrimming(resolved)
  /** False until Redis has accepted a message: until then, its way of trimming is unknown. */
  let isTrimmingKnown = false
  let isClosed = false
  let reader: Reader | undefined
  /** The connection for writing, opened with the first message. */
  let connection: Connection | undefined

  const writer = createWriter({
    ...resolved,
    append,
    isReady,
    maxInFlight: () => mayReorder || !isTrimmingKnown ? 1 : MAX_IN_FLIGHT,
    onError: reportError,
    timers
  })

  function isReady (): boolean {
    connection ??= createConnection({
      open,
      key,
      answerMs: Math.min(ANSWER_MS, maxQueueAge),
      timers,
      onReady: writer.connected,
      onError: reportError
    })
    return connection.isReady
  }

  async function append (payload: Uint8Array): Promise<void> {
    try {
      const id = await addEntry(payload)
      isTrimmingKnown = true
      trimming.noteTime(id)
      if (reader === undefined) trimming.noteEntry(id, payload.length)
      else reader.expect(id)
    } catch (err) {
      if (isOfWrongServer(err)) connection?.replace(err)
      throw err
    }
  }

  async function addEntry (payload: Uint8Array): Promise<StreamId> {
    try {
      return await send(payload)
    } catch (err) {
      if (isTrimmingKnown || !isMinIdUnknown(err)) throw err
      // Nothing else is in flight, so the order is kept.
      trimming.trimByLength()
      process.emitWarning(BY_LENGTH, { code: 'FST_TIME_SOCKET_REDIS_TRIMS_BY_LENGTH' })
      return send(payload)
    }
  }

  async function send (payload: Uint8Array): Promise<StreamId> {
    const args = ['XADD', key, ...trimming.args(), '*', 'd', toBuffer(payload)]
    return String(await connection?.send(args)) as StreamId
  }

  function reportError (err: unknown): void {
    for (const { onError } of subscribers) onError(err)
  }

  function createSharedReader (): Reader {
    return createReader({
      open,
      key,
      timers,
      onEntry (payload, id) {
        trimming.noteEntry(id, payload.length)
        for (const subscriber of subscribers) deliverTo(subscriber, payload)
      },
      onError: reportError
    })
  }

  function waitFor (started: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.add(reject)
      started.then(() => {
        waiting.delete(reject)
        resolve()
      })
    })
  }

  function stopReading (): void {
    reader?.stop()
    reader = undefined
  }

  return {
    publish: writer.write,
    async subscribe (deliver, onError) {
      if (isClosed) throw new BackplaneClosedError()
      const subscriber = { deliver, onError }
      subscribers.add(subscriber)
      reader ??= createSharedReader()
      await waitFor(reader.started)
      return async () => {
        subscribers.delete(subscriber)
        if (subscribers.size === 0) stopReading()
      }
    },
    async close () {
      isClosed = true
      subscribers.clear()
      writer.close()
      connection?.close()
      stopReading()
      for (const reject of waiting) reject(new BackplaneClosedError())
      waiting.clear()
    }
  }
}

/** A subscriber that throws must not keep the payload from the others. */
function deliverTo ({ deliver, onError }: Subscriber, payload: Uint8Array): void {
  try {
    deliver(payload)
  } catch (err) {
    onError(err)
  }
}

/** The same bytes as a Buffer, which the client libraries require. */
function toBuffer ({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
