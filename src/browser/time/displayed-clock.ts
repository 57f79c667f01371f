import type { Environment } from '../environment.js'
import type { Estimator } from './estimator.js'

/** What the clock shows: it follows the estimate, and never runs backwards but in a step. */
export interface Slew {
  /** The server's time, milliseconds since the Unix epoch. */
  now (): number
  /** By how many milliseconds that may be wrong at most; Infinity without an estimate. */
  error (): number
  /** When it will show a time, on the monotonic clock. */
  toMonotonic (serverMs: number): number
  /**
   * Does something to the estimate; by what it differs then the clock is slewed, or steps. Where
   * nothing is known any more, it goes on from what is shown.
   */
  change (action: () => void): void
  /** Forgets the estimate, and goes on from what is shown. */
  forget (): void
  /** Forgets the estimate, and shows the monotonic clock plus `offsetMs`. */
  follow (offsetMs: number): void
  /**
   * The device has slept for `movedMs`, or its clock was set. Which is not known: an estimate is
   * forgotten, but not gone beyond, lest anybody be called back early. Without one, it is the
   * device's clock that is shown.
   */
  moved (movedMs: number): void
}

export interface SlewOptions {
  environment: Environment
  estimator: Estimator
  /** By how much it may run fast or slow, as a part of the speed. */
  rate: number
  /** Milliseconds beyond which it steps. */
  stepThreshold: number
  onStep: (byMs: number) => void
}

/** Each leaves a twentieth of what is wrong, or `rate` of it. */
const ITERATIONS = 6

export function createSlew (
  { environment: { monotonic, wall }, estimator, rate, stepThreshold, onStep }: SlewOptions
): Slew {
  /** What is added to the monotonic clock where there is no estimate. */
  let heldMs = wall() - monotonic()
  /** By how much more was shown than the estimate when that changed. */
  let restMs = 0
  let changedMs = 0
  let latestMs = -Infinity

  function targetAt (localMs: number): number {
    const { offset, error } = estimator.at(localMs)
    return localMs + (error < Infinity ? offset : heldMs)
  }

  function shownAt (localMs: number): number {
    const leftMs = Math.max(0, Math.abs(restMs) - rate * (localMs - changedMs))
    return targetAt(localMs) + Math.sign(restMs) * leftMs
  }

  function now (localMs = monotonic()): number {
    latestMs = Math.max(latestMs, shownAt(localMs))
    return latestMs
  }

  function change (action: () => void): void {
    const localMs = monotonic()
    const shownMs = now(localMs)
    heldMs = shownMs - localMs
    action()
    restMs = shownMs - targetAt(localMs)
    changedMs = localMs
    if (Math.abs(restMs) <= stepThreshold) return
    const byMs = -restMs
    restMs = 0
    latestMs = -Infinity
    onStep(byMs)
  }

  return {
    now: () => now(),
    error () {
      const localMs = monotonic()
      return estimator.at(localMs).error + Math.abs(now(localMs) - targetAt(localMs))
    },
    toMonotonic (serverMs) {
      let localMs = monotonic()
      for (let i = ITERATIONS; i--;) localMs += serverMs - shownAt(localMs)
      return localMs
    },
    change,
    forget: () => change(estimator.clear),
    follow: (offsetMs) => change(() => {
      estimator.clear()
      heldMs = offsetMs
    }),
    moved: (movedMs) => change(() => {
      if (estimator.at(monotonic()).error === Infinity) heldMs += movedMs
      estimator.clear()
    })
  }
}
