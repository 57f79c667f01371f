import { addBound } from './bounds.js'
import type { Bounds } from './bounds.js'
import { fitLine } from './corridor.js'
import type { Estimate, Line } from './corridor.js'
import type { Quantum } from './device-clock.js'

export type { Estimate }

/** An exchange, with the timestamps of RFC 5905, section 8. */
export interface Exchange {
  /** When the request was sent, by the local clock. */
  readonly t1: number
  /** When the request arrived, by the server's clock. */
  readonly t2: number
  /** When the reply was sent, by the server's clock. */
  readonly t3: number
  /** When the reply arrived, by the local clock. */
  readonly t4: number
}

/** Finds the offset between the server's clock and a local clock that cannot be set. */
export interface Estimator {
  /**
   * Adds a message that the server sent when its clock showed `t3`, and that arrived when the local
   * clock showed `t4`.
   *
   * @returns true if the message contradicts the estimate, because a clock was set or the device
   * has slept. The oldest bounds are then forgotten until the rest agree, so `error` may be
   * Infinity: probe at once.
   */
  onTick (t3: number, t4: number): boolean
  /**
   * Adds an exchange.
   *
   * @returns true in the same case as `onTick`.
   */
  onExchange (exchange: Exchange): boolean
  /** The estimate for a time of the local clock, past or future: the further, the less certain. */
  at (localMs: number): Estimate
}

/** The server announces clock steps of this size or more, by `clockSteps`. */
const ANNOUNCED_STEP_MS = 50
/** The estimate before anything is known. */
export const UNKNOWN: Estimate = { offset: 0, skew: 0, error: Infinity }

/**
 * No delay is negative, so each message bounds the offset, server's minus local, on one side. A
 * message that the server sent at T3 and that arrived at T4 shows that the offset is T3 − T4 or
 * more. A message that was sent at T1 and reached the server at T2 shows that the offset is T2 − T1
 * or less. Between the two sets of bounds is a corridor, and the estimate is in its middle. That is
 * Marzullo's intersection (Maintaining the time in a distributed system, 1984) along a line instead
 * of at a point, because the clocks run at different rates, as in Duda et al. (Estimating global
 * time in distributed systems, 1987), Moon, Skelly and Towsley (Estimation and removal of clock
 * skew from network delay measurements, 1999) and Zhang, Liu and Xia (Clock synchronization
 * algorithms for network measurements, 2002). Nothing is averaged: the bound of a late message is
 * looser, and does no harm.
 */
export function createEstimator ({ read, ms }: Quantum, priorSkew = 0): Estimator {
  let upper: Bounds = []
  let lower: Bounds = []
  let minRttMs = Infinity
  let line: Line | undefined

  /**
   * Fits the line. Forgets the oldest bounds until the rest agree.
   *
   * @returns true if bounds had to be forgotten.
   */
  function fit (rttMs: number): boolean {
    let isConflict = false
    for (;;) {
      line = fitLine(upper, lower, { quantumMs: ms(), oldSkew: line?.skew ?? 0, priorSkew })
      if (!line || isWidthPlausible(line.widthMs, rttMs)) return isConflict
      isConflict = true
      forgetThird()
    }
  }

  function forgetThird (): void {
    const times = [...upper, ...lower].map(([at]) => at)
    const untilMs = (2 * Math.min(...times) + Math.max(...times)) / 3
    upper = upper.filter(([at]) => at > untilMs)
    lower = lower.filter(([at]) => at > untilMs)
  }

  function addLower (t3: number, t4: number, rttMs: number): boolean {
    lower = addBound(lower, read(t4), t4 - t3)
    return fit(rttMs)
  }

  return {
    // A lone tick may simply be the first one not delayed by a queue: no evidence of a step.
    onTick: (t3, t4) => addLower(t3, t4, 0),
    onExchange ({ t1, t2, t3, t4 }) {
      minRttMs = Math.min(minRttMs, t4 - t1 - (t3 - t2))
      upper = addBound(upper, read(t1), t2 - t1)
      return addLower(t3, t4, minRttMs)
    },
    at: (localMs) => line?.at(localMs) ?? UNKNOWN
  }
}

/**
 * A corridor is as wide as the least delays in both directions together. If it is narrower than any
 * round trip, a clock was set by the difference. A server announces a step of 50 ms or more, so a
 * larger difference means only that queues emptied one after the other.
 */
function isWidthPlausible (widthMs: number, rttMs: number): boolean {
  return widthMs >= 0 && (widthMs >= 0.75 * rttMs - 1 || widthMs <= rttMs - ANNOUNCED_STEP_MS)
}
