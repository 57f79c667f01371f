import { performance } from 'node:perf_hooks'

const READINGS = 100_000

/**
 * The wall clock of this machine, in milliseconds with fractions, as other programs read it.
 * `performance.timeOrigin + performance.now()` is not: it stays wrong for ever by as long as the
 * process was held up between two readings at its start, and 36 ms were seen beside busy loops.
 */
export function wallNow (): number {
  return originMs + performance.now()
}

const originMs = measureOrigin()

/** When `performance.now()` was 0. A reading that was held up, or rounded down, is too low. */
function measureOrigin (): number {
  let highestMs = -Infinity
  for (let i = 0; i < READINGS; i++) {
    highestMs = Math.max(highestMs, Date.now() - performance.now())
  }
  return highestMs
}
