import type { Environment } from '../environment.js'
import type { Estimates } from './estimates.js'

/**
 * The time that the clock shows. It follows the estimate, and never runs backwards except in a
 * step.
 */
export interface DisplayedClock {
  /** The server's time, milliseconds since the Unix epoch. */
  now (): number
  /** By how many milliseconds `now()` may be wrong at most; Infinity without an estimate. */
  error (): number
  /** When `now()` shows a server time, on the monotonic clock. */
  toMonotonic (serverMs: number): number
  /**
   * Runs an action that changes the estimates. The difference is slewed, or stepped if it is large.
   * Without an estimate, the clock continues from the time it shows.
   */
  update (action: () => void): void
  /**
   * Must be called when the device has slept for `movedMs`, or its clock was set by as much. The
   * two cannot be told apart. Forgets the estimates; the clock continues from the time it shows.
   */
  onMoved (movedMs: number): void
  /** Treats a move that is at least `minAgeMs` old as sleep, unless there is an estimate by now. */
  addSleep (minAgeMs: number): void
}

export interface DisplayedClockOptions {
  environment: Environment
  estimates: Estimates
  slew: number
  stepThreshold: number
  onStep: (byMs: number) => void
}

/** Each iteration leaves at most `slew` of the previous error. */
const ITERATIONS = 6

export function createDisplayedClock (options: DisplayedClockOptions): DisplayedClock {
  const { environment: { monotonic, wall }, estimates, slew, stepThreshold, onStep } = options
  /** The offset to the monotonic clock that is used without an estimate. */
  let fallbackOffsetMs = wall() - monotonic()
  let movedMs = 0
  let movedAtMs = 0
  /** By how much the clock was ahead of the estimate at `changedMs`; slewed away since. */
  let aheadMs = 0
  let changedMs = 0
  let latestMs = -Infinity

  function isKnown (localMs: number): boolean {
    return estimates.at(localMs).error < Infinity
  }

  function targetAt (localMs: number): number {
    return localMs + (isKnown(localMs) ? estimates.at(localMs).offset : fallbackOffsetMs)
  }

  function shownAt (localMs: number): number {
    const leftMs = Math.max(0, Math.abs(aheadMs) - slew * (localMs - changedMs))
    return targetAt(localMs) + Math.sign(aheadMs) * leftMs
  }

  function now (localMs = monotonic()): number {
    latestMs = Math.max(latestMs, shownAt(localMs))
    return latestMs
  }

  function update (action: () => void): void {
    const localMs = monotonic()
    const shownMs = now(localMs)
    fallbackOffsetMs = shownMs - localMs
    action()
    estimates.choose(localMs)
    if (isKnown(localMs)) movedMs = 0
    aheadMs = shownMs - targetAt(localMs)
    changedMs = localMs
    if (Math.abs(aheadMs) <= stepThreshold) return
    const byMs = -aheadMs
    aheadMs = 0
    latestMs = -Infinity
    onStep(byMs)
  }

  return {
    now: () => now(),
    error () {
      const localMs = monotonic()
      return estimates.at(localMs).error + Math.abs(now(localMs) - targetAt(localMs))
    },
    toMonotonic (serverMs) {
      let localMs = monotonic()
      for (let i = 0; i < ITERATIONS; i++) localMs += serverMs - shownAt(localMs)
      return localMs
    },
    update,
    onMoved (ms) {
      movedMs += ms
      movedAtMs = monotonic()
      update(estimates.clear)
    },
    addSleep (minAgeMs) {
      if (movedMs === 0 || monotonic() - movedAtMs < minAgeMs) return
      update(() => { fallbackOffsetMs += movedMs })
      movedMs = 0
    }
  }
}
