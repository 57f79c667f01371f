import { BackplaneClosedError } from '../../api/errors.js'
import type { Timers } from '../../util/timers.js'
import { createQueue } from './write-queue.js'
import type { Waiting } from './write-queue.js'

/**
 * Writes payloads to Redis in order, and keeps them for a while when Redis does not accept them.
 */
export interface Writer {
  /**
   * @returns a promise that resolves when Redis has the payload, and rejects when it is dropped.
   */
  write (payload: Uint8Array): Promise<void>
  /** Must be called when the connection is ready: sends waiting payloads at once. */
  connected (): void
  /** Drops all waiting payloads. */
  close (): void
}

export interface WriterOptions {
  /** Sends one payload. If this fails, Redis may or may not have stored the payload. */
  append: (payload: Uint8Array) => Promise<unknown>
  /** True if the connection is ready. */
  isReady: () => boolean
  /** How many payloads may be unanswered at a time. */
  maxInFlight: () => number
  /** Called with the error of each failed attempt. The pauses between attempts grow. */
  onError: (err: unknown) => void
  maxQueueAge: number
  maxQueueBytes: number
  timers: Timers
}

/** A payload that has been sent. */
interface Sent {
  readonly waiting: Waiting
  outcome: 'unanswered' | 'stored' | 'failed'
  err?: unknown
}

/**
 * The most bytes that may be unanswered, though at least one payload is always sent. Further
 * payloads stay in the queue, where they may still be dropped.
 */
const MAX_IN_FLIGHT_BYTES = 1_048_576
const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 1000

/**
 * A payload that failed is sent again, though Redis may have stored it: receivers discard
 * duplicates. If a later payload has been stored, the failed one is dropped: receivers would
 * discard it, too.
 */
export function createWriter (
  { append, isReady, maxInFlight, onError, maxQueueAge, maxQueueBytes, timers }: WriterOptions
): Writer {
  const queue = createQueue({ maxAgeMs: maxQueueAge, maxBytes: maxQueueBytes, timers })
  /** In the order in which they were sent. */
  let inFlight: Sent[] = []
  let inFlightBytes = 0
  /** After a failure, nothing is sent until everything in flight is answered. */
  let hasFailed = false
  let pauseMs = 0
  let cancelPause: (() => void) | undefined
  let isClosed = false

  function flush (): void {
    while (canSend()) {
      const waiting = queue.shift()
      if (waiting === undefined) return
      send(waiting)
    }
  }

  function canSend (): boolean {
    const isHeldUp = isClosed || hasFailed || cancelPause !== undefined
    const hasRoom = inFlight.length < maxInFlight() && inFlightBytes < MAX_IN_FLIGHT_BYTES
    return !isHeldUp && hasRoom && isReady()
  }

  async function send (waiting: Waiting): Promise<void> {
    const sent: Sent = { waiting, outcome: 'unanswered' }
    inFlight.push(sent)
    inFlightBytes += waiting.payload.length
    try {
      await append(waiting.payload)
      sent.outcome = 'stored'
    } catch (err) {
      sent.outcome = 'failed'
      sent.err = err
      hasFailed = true
    }
    inFlightBytes -= waiting.payload.length
    if (isClosed) return
    if (!hasFailed) confirmStored()
    else if (inFlight.every(({ outcome }) => outcome !== 'unanswered')) recover()
  }

  function confirmStored (): void {
    while (inFlight[0]?.outcome === 'stored') inFlight.shift()?.waiting.resolve()
    pauseMs = 0
    flush()
  }

  function recover (): void {
    const storedCount = inFlight.map(({ outcome }) => outcome).lastIndexOf('stored') + 1
    for (const { waiting, outcome, err } of inFlight.slice(0, storedCount)) {
      if (outcome === 'stored') waiting.resolve()
      else waiting.reject(err)
    }
    const unsent = inFlight.slice(storedCount)
    const err = inFlight.find(({ outcome }) => outcome === 'failed')?.err
    inFlight = []
    hasFailed = false
    pauseMs = Math.min(Math.max(2 * pauseMs, MIN_PAUSE_MS), MAX_PAUSE_MS)
    cancelPause = timers.after(pauseMs, endPause)
    queue.putBack(unsent.map(({ waiting }) => waiting), err)
    onError(err)
  }

  function endPause (): void {
    cancelPause?.()
    cancelPause = undefined
    flush()
  }

  return {
    write (payload) {
      if (isClosed) return Promise.reject(new BackplaneClosedError())
      const written = queue.add(payload)
      flush()
      return written
    },
    connected: endPause,
    close () {
      isClosed = true
      cancelPause?.()
      const err = new BackplaneClosedError()
      for (const { waiting } of inFlight) waiting.reject(err)
      queue.clear(err)
    }
  }
}
