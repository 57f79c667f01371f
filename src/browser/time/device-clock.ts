import type { Environment } from '../environment.js'

/** Measures how coarse a clock is. */
export interface Quantum {
  /** Readings are accurate to ± this many milliseconds: 100 until two readings differ. */
  ms (): number
  /** Records a reading, and returns it. */
  read (localMs: number): number
}

/** Watches the device's wall clock against its monotonic one, which may stop during sleep. */
export interface DeviceClock {
  /**
   * Compares the clocks.
   *
   * @returns by how much the wall clock has moved against the monotonic one since the last call,
   * and true in `hasMoved` if that is more than rounding explains.
   */
  read (): { readonly movedMs: number, readonly hasMoved: boolean }
}

/** The coarsest clock of a browser. */
const COARSEST_US = 100_000
/** A movement up to this size is ignored. */
const MOVED_MS = 50

/**
 * Browsers round `performance.now()`, some down, some (Chromium, Firefox) up or down at random, to
 * 0.005, 0.02, 0.1, 1, 16.667 or 100 ms. All differences between readings are whole multiples of
 * this quantum, so the quantum is their greatest common divisor, found in whole microseconds by
 * Euclid's algorithm.
 *
 * The first readings may have a greater common divisor. Until then, the clock counts as coarser
 * than it is, never as finer.
 */
export function createQuantum (): Quantum {
  let lastMs = NaN
  let quantumUs = Infinity

  return {
    ms: () => Math.min(quantumUs, COARSEST_US) / 1000,
    read (localMs) {
      let restUs = Math.round(Math.abs(localMs - lastMs) * 1000)
      lastMs = localMs
      while (restUs > 0) [quantumUs, restUs] = [restUs, quantumUs % restUs]
      return localMs
    }
  }
}

/** @param quantumMs by how much a reading of the monotonic clock may be rounded. */
export function createDeviceClock (
  { monotonic, wall }: Environment, quantumMs: () => number
): DeviceClock {
  let wallMs = wall()
  let differenceMs = wallMs - monotonic()

  return {
    read () {
      const lastWallMs = wallMs
      const lastDifferenceMs = differenceMs
      wallMs = wall()
      differenceMs = wallMs - monotonic()
      const movedMs = differenceMs - lastDifferenceMs
      // Test tools may freeze the wall clock. That is no step.
      const isPinned = wallMs === lastWallMs && movedMs < 0
      // Both clocks may be rounded.
      const hasMoved = !isPinned && Math.abs(movedMs) > MOVED_MS + 2 * quantumMs()
      return { movedMs, hasMoved }
    }
  }
}
