import type { Clock } from '../api/option-values.js'
import type { OutageLog } from '../observability/failure-log.js'
import { ignoreResult, isThenable, isTime, show } from '../util/values.js'
import type { Timers } from '../util/timers.js'

/** The system clock, which returns whole milliseconds. */
export const SYSTEM_CLOCK: Clock = { now: () => Date.now() }

/** One reading of the wall clock and the monotonic clock together. */
export interface Reading {
  readonly wallMs: number
  readonly monotonicMs: number
  /**
   * How much later than the wall clock the monotonic clock may have been read: the process can
   * stall between the two readings.
   */
  readonly doubtMs: number
}

/** The server's time, and how often it has stepped. */
export interface WallClock {
  /**
   * Milliseconds since the Unix epoch. Never throws: while the source fails, the time continues
   * from the last good reading.
   */
  now (): number
  /**
   * Reads both clocks, and counts a step if they moved apart since the last reading. Called at
   * least once a second while clients are connected.
   *
   * @returns undefined while the source fails.
   */
  readClocks (): Reading | undefined
  /** The number of steps of the wall clock that have been noticed so far. */
  readonly clockSteps: number
}

/** A movement of the wall clock against the monotonic clock by more than this counts as a step. */
const STEP_MS = 50
/** Readings may be this far apart without any allowance for slewing. */
const MAX_PERIOD_MS = 1000
/** The fastest that a disciplined clock is slewed: 500 ppm (RFC 5905, §11.3). */
const MAX_SLEW = 500e-6

export interface WallClockOptions {
  source: Clock
  timers: Timers
  /** Logs when the source throws or returns no valid time, and when it works again. */
  outageLog: OutageLog
}

export function createWallClock ({ source, timers, outageLog }: WallClockOptions): WallClock {
  let clockSteps = 0
  // Wall clock minus monotonic clock at the last good reading.
  let offsetMs = Date.now() - timers.monotonic()
  let lastReading: Reading | undefined

  function read (): Reading | undefined {
    try {
      const beforeMs = timers.monotonic()
      const wallMs: unknown = source.now()
      const monotonicMs = timers.monotonic()
      if (isThenable(wallMs)) ignoreResult(wallMs)
      if (!isTime(wallMs)) {
        const expected = 'milliseconds since the Unix epoch'
        throw new TypeError(`the clock must return ${expected}, got ${show(wallMs)}`)
      }
      offsetMs = wallMs - monotonicMs
      outageLog.worked()
      return { wallMs, monotonicMs, doubtMs: monotonicMs - beforeMs }
    } catch (err) {
      outageLog.failed(err)
      return undefined
    }
  }

  return {
    now: () => read()?.wallMs ?? offsetMs + timers.monotonic(),
    readClocks () {
      const reading = read()
      if (reading === undefined) return undefined
      if (isStep(lastReading ?? reading, reading)) clockSteps++
      lastReading = reading
      return reading
    },
    get clockSteps () {
      return clockSteps
    }
  }
}

function isStep (before: Reading, after: Reading): boolean {
  const elapsedMs = after.monotonicMs - before.monotonicMs
  const movedMs = Math.abs(after.wallMs - before.wallMs - elapsedMs)
  // Without clients, the clocks may not be read for a long time, and slewing adds up.
  const slewedMs = Math.max(0, elapsedMs - MAX_PERIOD_MS) * MAX_SLEW
  return movedMs - before.doubtMs - after.doubtMs > STEP_MS + slewedMs
}
