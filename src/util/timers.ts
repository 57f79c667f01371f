import type { AsyncResource } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'

/**
 * The process's own time line and timers, handed in so that tests run on
 * simulated time.
 */
export interface Timers {
  /**
   * Milliseconds since some fixed moment, never running backwards, blind to steps of the wall
   * clock.
   */
  monotonic (): number
  /**
   * Calls back once, about `delayMs` from now; like every Node timer it may be a
   * millisecond early. @returns a function that calls it off.
   */
  after (delayMs: number, callback: () => void): () => void
  /** As `after`, but keeps the process alive until then. */
  hold (delayMs: number, callback: () => void): () => void
  /**
   * Calls back once, after the input that is waiting has been read.
   *
   * @returns a function that calls it off.
   */
  soon (callback: () => void): () => void
}

/**
 * The real ones. `after` never keeps the process alive; `soon` does so for one turn of the
 * event loop.
 */
export const systemTimers: Timers = {
  monotonic: () => performance.now(),
  after (delayMs, callback) {
    const timeout = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timeout)
  },
  hold (delayMs, callback) {
    const timeout = setTimeout(callback, delayMs)
    return () => clearTimeout(timeout)
  },
  soon (callback) {
    const immediate = setImmediate(callback)
    return () => clearImmediate(immediate)
  }
}

/** The same timers, whose callbacks run in this async context, whoever sets them. */
export function timersIn (scope: AsyncResource, timers: Timers): Timers {
  const { monotonic, after, hold, soon } = timers
  return {
    monotonic,
    after: (delayMs, callback) => scope.runInAsyncScope(after, undefined, delayMs, callback),
    hold: (delayMs, callback) => scope.runInAsyncScope(hold, undefined, delayMs, callback),
    soon: (callback) => scope.runInAsyncScope(soon, undefined, callback)
  }
}
