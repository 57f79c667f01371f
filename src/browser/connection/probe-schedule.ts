import type { Environment } from '../environment.js'
import type { SyncOptions } from '../clock-options.js'
import { createTimer } from '../time/single-timer.js'

/** When to ask the server for its time. */
export interface Probes {
  /** Asks eight times within half a second, then in rounds that become rarer; not while it does. */
  burst (): void
  /** Until the next burst. */
  stop (): void
}

const BURST = 8
const BURST_GAP_MS = 60
const ROUND_GAP_MS = 250
const FIRST_PAUSE_MS = 2000
/** Slow: the skew takes minutes to be known, and until then every round counts. */
const GROWTH = 1.25

export function createProbes (
  environment: Environment, { probes = 3, every = 60_000 }: SyncOptions, ask: () => void
): Probes {
  const timer = createTimer(environment)
  let leftCount = 0
  let gapMs = 0
  let pauseMs = 0

  function next (): void {
    if (leftCount > 0) {
      leftCount--
      timer(next, gapMs)
      ask()
      return
    }
    leftCount = probes
    gapMs = ROUND_GAP_MS
    timer(next, Math.min(pauseMs, every) * (0.9 + environment.random() / 5))
    pauseMs *= GROWTH
  }

  return {
    burst () {
      if (gapMs === BURST_GAP_MS && leftCount > 0) return
      leftCount = BURST
      gapMs = BURST_GAP_MS
      pauseMs = FIRST_PAUSE_MS
      next()
    },
    stop () {
      leftCount = 0
      timer()
    }
  }
}
