import { createTimer } from '../environment.js'
import type { Environment } from '../environment.js'
import type { DisplayedClock } from './displayed-clock.js'

/** Takes a callback back; harmless when it has been called, and again. */
export type Cancel = () => void

/** Which callbacks are to be called at which times of the server. */
export interface Timetable {
  /** Calls back once, when the server's clock gets there; not while `error` is Infinity. */
  at (dueMs: number, callback: () => void, signal?: AbortSignal): Cancel
  /**
   * Calls back at each whole multiple of `periodMs` that `now()` shows, once for all that were
   * missed. @param isImmediate whether it calls back soon as well.
   */
  every (
    periodMs: number, callback: () => void, signal?: AbortSignal, isImmediate?: boolean
  ): Cancel
  /** Calls back what is due, and sets the timer for the next; does nothing while stopped. */
  run (): void
  /** Calls nothing back until `start()`. */
  stop (): void
  start (): void
}

interface Entry {
  dueMs: number
  /** Infinity: once. */
  readonly periodMs: number
  readonly callback: () => void
  readonly cancel: Cancel
}

/** So small a part of a period before its end counts as its end, because of rounding. */
const ROUNDING = 1e-6

export function createTimetable (
  environment: Environment, { now, toMonotonic, error }: DisplayedClock
): Timetable {
  const timer = createTimer(environment)
  const entries = new Set<Entry>()
  let isStopped = true

  /** The earliest first. What is called once waits until the time is known. */
  function callable (): Entry[] {
    const isKnown = error() < Infinity
    return [...entries].filter(({ periodMs }) => isKnown || periodMs < Infinity)
      .sort((a, b) => a.dueMs - b.dueMs)
  }

  function visit (entry: Entry): void {
    const { dueMs, periodMs, callback, cancel } = entry
    const nowMs = now()
    const isDue = dueMs <= nowMs
    // A multiple is more than a period away once the clock has stepped back.
    if (!isDue && dueMs <= nowMs + periodMs) return
    entry.dueMs = nextMultiple(nowMs, periodMs)
    if (periodMs === Infinity) cancel()
    if (isDue) callSafely(callback)
  }

  function run (): void {
    for (const entry of callable()) if (!isStopped && entries.has(entry)) visit(entry)
    if (isStopped) return
    const [next] = callable()
    // Browsers truncate fractions, and would be early.
    timer(next && run, next && Math.ceil(toMonotonic(next.dueMs) - environment.monotonic()))
  }

  function add (
    dueMs: number, periodMs: number, callback: () => void, signal: AbortSignal | undefined
  ): Cancel {
    const cancel = (): void => {
      entries.delete(entry)
      signal?.removeEventListener('abort', cancel)
    }
    const entry = { dueMs, periodMs, callback, cancel }
    if (signal?.aborted) return cancel
    signal?.addEventListener('abort', cancel)
    entries.add(entry)
    if (!isStopped) timer(run)
    return cancel
  }

  return {
    at (dueMs, callback, signal) {
      if (!(Math.abs(dueMs) < Infinity)) {
        throw new RangeError(
          `ServerClock: at() needs a valid Date or milliseconds since the Unix epoch, but got ${dueMs}`)
      }
      return add(dueMs, Infinity, callback, signal)
    },
    every (periodMs, callback, signal, isImmediate) {
      if (!(periodMs > 0 && periodMs < Infinity)) {
        throw new RangeError(
          `ServerClock: every() needs a positive number of milliseconds, but got ${periodMs}`)
      }
      const dueMs = isImmediate ? now() : nextMultiple(now(), periodMs)
      return add(dueMs, periodMs, callback, signal)
    },
    run,
    stop () {
      isStopped = true
      timer()
    },
    start () {
      isStopped = false
    }
  }
}

function nextMultiple (nowMs: number, periodMs: number): number {
  return (Math.floor(nowMs / periodMs + ROUNDING) + 1) * periodMs
}

/** What a callback throws is reported as uncaught, and keeps no other from being called. */
function callSafely (callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}
