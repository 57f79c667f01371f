import { performance } from 'node:perf_hooks'

const READINGS = 100_000

/**
 * The wall clock as other programs read it, in milliseconds with fractions. Its offset is measured
 * once, when this module loads: it runs smoothly, and does not follow later steps.
 *
 * `performance.timeOrigin + performance.now()` will not do: Node.js reads two clocks when it
 * starts, and if the process is paused between them, the sum stays off by that pause: by 36 ms on a
 * busy machine.
 */
export function wallNow (): number {
  return originMs + performance.now()
}

const originMs = measureOrigin()

/**
 * The wall-clock time at which `performance.now()` was 0. A pause between the two calls, or the
 * rounding of `Date.now()`, can only lower a result, so the highest is the best.
 */
function measureOrigin (): number {
  let highestMs = -Infinity
  for (let i = 0; i < READINGS; i++) {
    highestMs = Math.max(highestMs, Date.now() - performance.now())
  }
  return highestMs
}
