import type { AsyncResource } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'

/**
 * The monotonic clock and the timers, passed as an argument so that tests run on simulated time.
 */
export interface Timers {
  /**
   * Milliseconds since an arbitrary fixed moment. Never decreases, and is not affected by clock
   * steps.
   */
  monotonic (): number
  /**
   * Calls back once, about `delayMs` from now; like every Node.js timer, it may be a millisecond
   * early.
   *
   * @returns a function that cancels the timer.
   */
  after (delayMs: number, callback: () => void): () => void
  /** As `after`, but keeps the process alive until then. */
  afterKeepingAlive (delayMs: number, callback: () => void): () => void
  /**
   * Calls back once, after all pending input has been read.
   *
   * @returns a function that cancels the call.
   */
  soon (callback: () => void): () => void
}

/**
 * The timers of Node.js. `after` never keeps the process alive; `soon` keeps it alive for one turn
 * of the event loop.
 */
export const systemTimers: Timers = {
  monotonic: () => performance.now(),
  after (delayMs, callback) {
    const timeout = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timeout)
  },
  afterKeepingAlive (delayMs, callback) {
    const timeout = setTimeout(callback, delayMs)
    return () => clearTimeout(timeout)
  },
  soon (callback) {
    const immediate = setImmediate(callback)
    return () => clearImmediate(immediate)
  }
}

/** The same timers, but their callbacks always run in this async context. */
export function timersIn (scope: AsyncResource, timers: Timers): Timers {
  const { monotonic, after, afterKeepingAlive, soon } = timers
  return {
    monotonic,
    after: (delayMs, callback) => scope.runInAsyncScope(after, undefined, delayMs, callback),
    afterKeepingAlive: (delayMs, callback) =>
      scope.runInAsyncScope(afterKeepingAlive, undefined, delayMs, callback),
    soon: (callback) => scope.runInAsyncScope(soon, undefined, callback)
  }
}
