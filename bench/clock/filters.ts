import { createEstimator } from '../../src/browser/time/estimator.js'
import { createQuantum } from '../../src/browser/time/device-clock.js'
import { offsetOf, roundTripOf } from './contender.js'
import type { Filter, Sample } from './contender.js'

/** Takes them in fives, and of each five the mean of those that were not slow: timesync 1.0. */
export function createTimesyncFilter (): Filter {
  const COUNT = 5
  let batch: Sample[] = []
  let offset = NaN
  return {
    add (sample) {
      if (Number.isNaN(offset)) offset = offsetOf(sample)
      batch.push(sample)
      if (batch.length < COUNT) return
      const trips = batch.map(roundTripOf)
      const limit = median(trips) + deviation(trips)
      const kept = batch.filter((one) => roundTripOf(one) < limit).map(offsetOf)
      if (kept.length > 0) offset = mean(kept)
      batch = []
    },
    offsetAt: () => offset
  }
}

/** The fastest of the last sixty: timing-provider, its `select-most-likely-offset`. */
export function createTimingProviderFilter (): Filter {
  return createFastest(60)
}

/**
 * The fastest of the last eight: the clock filter of RFC 5905, section 10, with the popcorn spike
 * suppressor of its appendix A.5.5.
 */
export function createNtpFilter (): Filter {
  const STAGES = 8
  const SPIKE_GATE = 3
  const LEAST_JITTER_MS = 0.01
  const stages: Sample[] = []
  let offset = NaN
  let used: Sample | undefined
  return {
    add (sample) {
      stages.push(sample)
      if (stages.length > STAGES) stages.shift()
      const best = fastestOf(stages)
      // One that was used is never used again, nor one from before it.
      if (used !== undefined && best.t4 <= used.t4) return
      const distances = stages.map((one) => offsetOf(one) - offsetOf(best))
      const jitter = Math.max(LEAST_JITTER_MS, rootMeanSquare(distances))
      const isFar = Math.abs(offsetOf(best) - offset) > SPIKE_GATE * jitter
      const isSpike = isFar && used !== undefined && best.t4 - used.t4 < 2 * intervalOf(stages)
      if (isSpike) return
      used = best
      offset = offsetOf(best)
    },
    offsetAt: () => offset
  }
}

/**
 * A Kalman filter of offset and skew, as Sendspin's time filter has it: half of the round trip is
 * taken for the deviation of a sample.
 */
export function createSendspinFilter (): Filter {
  return createKalman((tripMs) => tripMs / 2)
}

/** The same, but a sample counts the less, the slower it was than the fastest: our improvement. */
export function createKalmanFilter (): Filter {
  const FINEST_MS = 0.2
  let fastestMs = Infinity
  return createKalman((tripMs) => {
    fastestMs = Math.min(fastestMs, tripMs)
    return (tripMs - fastestMs) / 2 + FINEST_MS
  })
}

/** Two states, the offset and its growth, which strays a little (Kalman 1960; Bletsas 2005). */
function createKalman (deviationOf: (tripMs: number) => number): Filter {
  const USUAL_SKEW = 50e-6
  /** What the variance of the skew grows by in a millisecond: about 1 ppm in ten minutes. */
  const WANDER = 1e-12 / 600_000
  let at = NaN
  let [offset, skew] = [NaN, 0]
  let [pOffset, pBoth, pSkew] = [0, 0, USUAL_SKEW ** 2]

  function predict (elapsed: number): void {
    offset += skew * elapsed
    pOffset += elapsed * (2 * pBoth + elapsed * pSkew)
    pBoth += elapsed * pSkew
    pSkew += elapsed * WANDER
  }

  function update (surprise: number, noise: number): void {
    const [gain, skewGain] = [pOffset / (pOffset + noise), pBoth / (pOffset + noise)]
    offset += gain * surprise
    skew += skewGain * surprise
    pSkew -= skewGain * pBoth
    pBoth *= 1 - gain
    pOffset *= 1 - gain
  }

  return {
    add (sample) {
      const noise = deviationOf(Math.max(0, roundTripOf(sample))) ** 2
      if (Number.isNaN(offset)) [offset, pOffset] = [offsetOf(sample), noise]
      else {
        predict(sample.t4 - at)
        update(offsetOf(sample) - offset, noise)
      }
      at = sample.t4
    },
    offsetAt: (localMs) => offset + skew * (localMs - at)
  }
}

/** This package's: the middle of a corridor. */
export function createCorridorFilter (): Filter & { errorAt (localMs: number): number } {
  const estimator = createEstimator(createQuantum())
  return {
    add (sample) {
      estimator.onExchange(sample)
    },
    offsetAt (localMs) {
      const { offset, error } = estimator.at(localMs)
      return error === Infinity ? NaN : offset
    },
    errorAt: (localMs) => estimator.at(localMs).error
  }
}

function createFastest (count: number): Filter {
  const samples: Sample[] = []
  return {
    add (sample) {
      samples.push(sample)
      if (samples.length > count) samples.shift()
    },
    offsetAt: () => samples.length === 0 ? NaN : offsetOf(fastestOf(samples))
  }
}

function fastestOf (samples: readonly Sample[]): Sample {
  return samples.reduce((best, one) => roundTripOf(one) < roundTripOf(best) ? one : best)
}

function intervalOf (samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)]
  return first && last ? (last.t4 - first.t4) / Math.max(1, samples.length - 1) : 0
}

function mean (values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function rootMeanSquare (values: readonly number[]): number {
  return Math.sqrt(mean(values.map((value) => value ** 2)))
}

function deviation (values: readonly number[]): number {
  const middle = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return (Number(sorted[Math.ceil(half) - 1]) + Number(sorted[Math.floor(half)])) / 2
}
