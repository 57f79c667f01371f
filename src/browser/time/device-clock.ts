import type { Environment } from '../environment.js'

/** Watches the device's wall clock against its monotonic one, which may stop during sleep. */
export interface DeviceClock {
  /** @returns how far the wall clock has moved against the monotonic one since the last call. */
  read (): { readonly movedMs: number, readonly hasMoved: boolean }
}

/** The two may differ so much unnoticed. */
const MOVED_MS = 50

/** @param grainMs by how much a reading of the monotonic clock may be rounded. */
export function createDeviceClock (
  { monotonic, wall }: Environment, grainMs: () => number
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
      // Test tools pin the wall clock: that is no step.
      const isPinned = wallMs === lastWallMs && movedMs < 0
      // Both clocks may be rounded.
      const hasMoved = !isPinned && Math.abs(movedMs) > MOVED_MS + 2 * grainMs()
      return { movedMs, hasMoved }
    }
  }
}
