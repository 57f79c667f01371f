/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** What the server's clock really showed: each of its readings, and the machine's own at that. */
export interface Truth {
  /** The server's clock, now. */
  now (): number
  /** @param machineMs on CLOCK_MONOTONIC. @returns what the server's clock showed then. */
  at (machineMs: number): number
}

const EVERY_MS = 100
/** A comparison that took longer says nothing. */
const HELD_UP_MS = 0.05

/** Compares the two for as long as the test lasts. */
export function startTruth (t: Test, now: () => number): Truth {
  const readings: [machineMs: number, aheadMs: number][] = []
  const read = () => {
    const machineMs = machineNow()
    const serverMs = now()
    const isSound = readings.length === 0 || machineNow() - machineMs < HELD_UP_MS
    if (isSound) readings.push([machineMs, serverMs - machineMs])
  }
  read()
  const timer = setInterval(read, EVERY_MS)
  t.teardown(() => clearInterval(timer))
  return {
    now,
    at (machineMs) {
      const next = readings.findIndex(([readMs]) => readMs > machineMs)
      const [, aheadMs] = readings.at(next) as [number, number]
      return machineMs + aheadMs
    }
  }
}

/**
 * CLOCK_MONOTONIC of this machine, in milliseconds: Chromium's `performance.now()` runs on it too,
 * from the start of the navigation on.
 */
export function machineNow (): number {
  return Number(process.hrtime.bigint()) / 1e6
}
