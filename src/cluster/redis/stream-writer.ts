import { BackplaneClosedError } from '../../api/errors.js'
import type { Timers } from '../../util/timers.js'
import { createQueue } from './write-queue.js'
import type { Waiting } from './write-queue.js'

/** Hands messages to Redis in order, and keeps them for a while when it cannot. */
export interface Writer {
  /** @returns when Redis has it; rejects when it is given up. */
  write (payload: Uint8Array): Promise<void>
  /** The connection has come back: tries at once, if anything waits. */
  reconnected (): void
  /** Gives up what waits. */
  close (): void
}

export interface WriterOptions {
  /** Sends one message. Whether Redis has stored it is not known when that fails. */
  append: (payload: Uint8Array) => Promise<unknown>
  /** Whether there is any point in trying. */
  isReady: () => boolean
  /** Told of each failed attempt, with the pauses between them growing. */
  onError: (err: unknown) => void
  maxQueueAge: number
  maxQueueBytes: number
  timers: Timers
}

/** What is on its way at a time. More waits for the answer, and may then be given up. */
const MAX_BATCH_COUNT = 256
const MAX_BATCH_BYTES = 1_048_576
const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 1000

/**
 * What fails is sent again, though Redis may have stored it already: readers leave out what they
 * have had. It is given up where a later message has been stored: they would leave it out as well.
 */
export function createWriter (
  { append, isReady, onError, maxQueueAge, maxQueueBytes, timers }: WriterOptions
): Writer {
  const queue = createQueue({ maxAgeMs: maxQueueAge, maxBytes: maxQueueBytes, timers })
  let sending: readonly Waiting[] = []
  /** How often the connection has come back. */
  let reconnections = 0
  /** What Redis has not answered yet: the client keeps it, and more behind it would pile up. */
  let unanswered: Promise<unknown> | undefined
  let pauseMs = 0
  let cancelPause: (() => void) | undefined
  let isClosed = false

  function flush (): void {
    const isBusy = sending.length > 0 || unanswered !== undefined
    if (isClosed || isBusy || queue.size === 0 || !isReady()) return
    cancelPause?.()
    cancelPause = undefined
    sending = queue.take(MAX_BATCH_COUNT, MAX_BATCH_BYTES)
    send(sending)
  }

  async function send (batch: readonly Waiting[]): Promise<void> {
    const sentOver = reconnections
    const attempts = Promise.allSettled(batch.map(({ payload }) => tryAppend(payload)))
    const results = await withLimit(attempts, maxQueueAge, timers)
    if (isClosed) return
    sending = []
    if (results !== undefined) return settle(batch, results)
    if (sentOver === reconnections) awaitAnswer(attempts)
    giveUp(batch)
  }

  async function awaitAnswer (attempts: Promise<unknown>): Promise<void> {
    unanswered = attempts
    await attempts
    if (unanswered !== attempts) return
    unanswered = undefined
    flush()
  }

  /** Also where it throws at once. */
  async function tryAppend (payload: Uint8Array): Promise<void> {
    await append(payload)
  }

  function giveUp (batch: readonly Waiting[]): void {
    const err = new Error(`Redis has not answered within ${maxQueueAge} ms`)
    for (const { reject } of batch) reject(err)
    retryLater(err)
  }

  function settle (
    batch: readonly Waiting[], results: readonly PromiseSettledResult<void>[]
  ): void {
    const storedCount = results.map(({ status }) => status).lastIndexOf('fulfilled') + 1
    for (const [index, { resolve, reject }] of batch.slice(0, storedCount).entries()) {
      const err = reasonOf(results[index])
      if (err === undefined) resolve()
      else reject(err)
    }
    const err = reasonOf(results[storedCount])
    if (err !== undefined) {
      queue.putBack(batch.slice(storedCount), err)
      return retryLater(err)
    }
    pauseMs = 0
    flush()
  }

  function retryLater (err: unknown): void {
    pauseMs = Math.min(Math.max(2 * pauseMs, MIN_PAUSE_MS), MAX_PAUSE_MS)
    cancelPause = timers.after(pauseMs, pauseEnded)
    onError(err)
  }

  function pauseEnded (): void {
    cancelPause = undefined
    flush()
  }

  return {
    write (payload) {
      if (isClosed) return Promise.reject(new BackplaneClosedError())
      const written = queue.add(payload)
      if (cancelPause === undefined) flush()
      return written
    },
    reconnected () {
      reconnections++
      // What was sent over the connection before may never be answered.
      unanswered = undefined
      flush()
    },
    close () {
      isClosed = true
      cancelPause?.()
      const err = new BackplaneClosedError()
      for (const { reject } of sending) reject(err)
      queue.clear(err)
    }
  }
}

function reasonOf (result: PromiseSettledResult<void> | undefined): unknown {
  return result?.status === 'rejected' ? result.reason : undefined
}

/** Resolves with what the promise does, or with undefined when that takes too long. */
function withLimit<Value> (
  promise: Promise<Value>, limitMs: number, timers: Timers
): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const cancel = timers.after(limitMs, () => resolve(undefined))
    promise.then(resolve).finally(cancel)
  })
}
