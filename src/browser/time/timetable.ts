import type { Environment } from '../environment.js'
import type { Slew } from './displayed-clock.js'
import { createTimer } from './single-timer.js'

/** Takes back what was planned; harmless when that is over, and again. */
export type Cancel = () => void

/** Who is to be called back at which times of the server. */
export interface Timetable {
  /**
   * Once, when the server's clock gets there; soon, if it has.
   *
   * @param isStrict not before it is known how far the clock may be off: until then it may be the
   * device's, which may be wrong by hours. Default false.
   * @throws for no finite number.
   */
  at (dueMs: number, callback: () => void, isStrict?: boolean): Cancel
  /** At each whole multiple; once for all that were missed. @throws for no positive number. */
  every (periodMs: number, callback: () => void): Cancel
  /** Calls back those who are due, and sets the timer for the next; not while it is stopped. */
  run (): void
  /** Nobody is called back until `start()`. */
  stop (): void
  /** Ends a stop: whoever is due is called back in the next `run()`. */
  start (): void
}

interface Entry {
  dueMs: number
  /** Infinity: once. */
  readonly periodMs: number
  readonly callback: () => void
  readonly isStrict: boolean
}

/** Of a period: so little before its end it counts as over, for what rounding takes off. */
const ROUNDING = 1e-6

export function createTimetable (
  environment: Environment, { now, toMonotonic, error }: Slew
): Timetable {
  const timer = createTimer(environment)
  const entries = new Set<Entry>()
  let isStopped = false

  function sorted (): Entry[] {
    const isKnown = error() < Infinity
    return [...entries].filter(({ isStrict }) => isKnown || !isStrict)
      .sort((a, b) => a.dueMs - b.dueMs)
  }

  function visit (entry: Entry): void {
    const { dueMs, periodMs, callback } = entry
    const nowMs = now()
    const isDue = dueMs <= nowMs
    // It is further away than a period once the clock has stepped back.
    if (!isDue && dueMs <= nowMs + periodMs) return
    entry.dueMs = nextMultiple(nowMs, periodMs)
    if (periodMs === Infinity) entries.delete(entry)
    if (isDue) attempt(callback)
  }

  function run (): void {
    for (const entry of sorted()) if (!isStopped && entries.has(entry)) visit(entry)
    if (isStopped) return
    const [next] = sorted()
    // Browsers cut fractions off, and would be early.
    timer(next && run, next && Math.ceil(toMonotonic(next.dueMs) - environment.monotonic()))
  }

  function add (
    dueMs: number, callback: () => void, isStrict = false, periodMs = Infinity
  ): Cancel {
    if (!(Math.abs(dueMs) < Infinity && periodMs > 0)) throw new RangeError('no time')
    const entry = { dueMs, callback, isStrict, periodMs }
    entries.add(entry)
    if (!isStopped) timer(run)
    return () => { entries.delete(entry) }
  }

  return {
    at: add,
    every: (periodMs, callback) => add(nextMultiple(now(), periodMs), callback, false, periodMs),
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

/** What a callback throws is reported as uncaught, and keeps nobody else from being called. */
function attempt (callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}
