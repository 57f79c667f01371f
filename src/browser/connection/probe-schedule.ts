import type { SyncOptions } from '../clock-options.js'
import { createTimer } from '../environment.js'
import type { Environment } from '../environment.js'

/** Decides when to probe the server over a WebSocket. */
export interface ProbeSchedule {
  /**
   * Sends eight probes within half a second, then rounds at growing intervals. Has no effect during
   * a burst.
   */
  burst (): void
  /** Stops probing until the next burst. */
  stop (): void
}

export interface ProbeScheduleOptions {
  environment: Environment
  sync: Pick<Required<{ [Name in keyof SyncOptions]: number }>, 'probes' | 'every'>
  /** @param isUrgent true for a probe of a burst. */
  probe: (isUrgent: boolean) => void
}

const BURST = 8
const BURST_GAP_MS = 60
const ROUND_GAP_MS = 250
const FIRST_PAUSE_MS = 2000
/** Pauses grow quickly at first, to stay within the budget per minute. */
const GROWTH = 1.5
/**
 * From this pause on, pauses grow slowly: finding the skew takes minutes, and until then every
 * round counts.
 */
const SLOW_FROM_MS = 10_000
const SLOW_GROWTH = 1.2

export function createProbeSchedule (
  { environment, sync: { probes, every }, probe }: ProbeScheduleOptions
): ProbeSchedule {
  const timer = createTimer(environment)
  let leftCount = 0
  let gapMs = 0
  let pauseMs = 0

  function next (): void {
    if (leftCount > 0) {
      leftCount--
      timer(next, gapMs)
      probe(gapMs === BURST_GAP_MS)
      return
    }
    leftCount = probes
    gapMs = ROUND_GAP_MS
    timer(next, Math.min(pauseMs, every) * (0.9 + environment.random() / 5))
    pauseMs *= pauseMs < SLOW_FROM_MS ? GROWTH : SLOW_GROWTH
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
