import { createTimer } from '../environment.js'
import type { Environment } from '../environment.js'
import type { DisplayedClock } from './displayed-clock.js'

/** Cancels a callback. Has no effect once the callback has been called or cancelled. */
export type Cancel = () => void

/** Calls back at given times of the server's clock. */
export interface Timetable {
  /** Calls back once, when the server's clock reaches `dueMs`; waits while `error` is Infinity. */
  at (dueMs: number, callback: () => void, signal?: AbortSignal): Cancel
  /**
   * Calls back at each whole multiple of `periodMs` that `now()` shows; once, if several were
   * missed.
   *
   * @param isImmediate true also calls back soon.
   */
  every (
    periodMs: number, callback: () => void, signal?: AbortSignal, isImmediate?: boolean
  ): Cancel
  /**
   * Runs the callbacks that are due, and sets the timer for the next. Has no effect while stopped.
   */
  run (): void
  /** Stops all callbacks until `start()`. */
  stop (): void
  start (): void
}

interface Entry {
  dueMs: number
  /** Infinity for a callback that runs once. */
  readonly periodMs: number
  readonly callback: () => void
  readonly cancel: Cancel
}

/**
 * A time counts as a multiple if it is less than this fraction of a period before the multiple,
 * because times are rounded.
 */
const ROUNDING = 1e-6

export function createTimetable (
  environment: Environment, { now, toMonotonic, error }: DisplayedClock
): Timetable {
  const timer = createTimer(environment)
  const entries = new Set<Entry>()
  let isStopped = true
  /** When the entry is due that the timer is set for. */
  let wakeMs = Infinity

  /** The entries that may run, earliest first. One-time callbacks wait until the time is known. */
  function callable (): Entry[] {
    const isKnown = error() < Infinity
    return [...entries].filter(({ periodMs }) => isKnown || periodMs < Infinity)
      .sort((a, b) => a.dueMs - b.dueMs)
  }

  function visit (entry: Entry): void {
    const { dueMs, periodMs, callback, cancel } = entry
    const nowMs = now()
    const isDue = dueMs <= nowMs
    // After the clock has stepped back, the next multiple may be more than a period away.
    if (!isDue && dueMs <= nowMs + periodMs) return
    entry.dueMs = nextMultiple(nowMs, periodMs)
    if (periodMs === Infinity) cancel()
    if (isDue) callSafely(callback)
  }

  function run (): void {
    for (const entry of callable()) if (!isStopped && entries.has(entry)) visit(entry)
    if (isStopped) return
    const [next] = callable()
    wakeMs = next?.dueMs ?? Infinity
    // Rounded up: browsers truncate fractions, and would fire early.
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
    if (!isStopped && dueMs < wakeMs) timer(run)
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
      wakeMs = Infinity
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

/**
 * Runs a callback. An error is reported as uncaught, and does not keep other callbacks from
 * running.
 */
function callSafely (callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}
