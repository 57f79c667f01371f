import type { Timers } from '../../../src/util/timers.js'

/** Simulated time: a process's monotonic clock and timers, and the wall clock of its machine. */
export interface FakeTime {
  readonly timers: Timers
  /** The wall clock. */
  readonly clock: { now (): number }
  /** How many callbacks are waiting. */
  readonly pendingCount: number
  /** Lets time pass, calling back whatever becomes due. */
  advance (ms: number): void
  /** Blocks the event loop: time passes on both clocks, and callbacks are late. */
  stall (ms: number): void
  /** Sets the wall clock forward, or back when negative. */
  step (ms: number): void
  /** Puts the machine to sleep: the wall clock goes on, the monotonic one stands still. */
  suspend (ms: number): void
}

export interface FakeTimeOptions {
  /** What the wall clock shows at the start. */
  wallMs: number
  /** How much a timer is late, or early when negative. Node's are −1 to 1.1. */
  jitterMs?: () => number
  /** Whether the wall clock shows whole milliseconds only, as `Date.now()` does. */
  floored?: boolean
}

/** How long a turn of the event loop takes when nothing but immediates is running. */
const TURN_MS = 0.25

interface Pending {
  dueMs: number
  callback: () => void
}

export function createFakeTime (
  { wallMs, jitterMs = () => 0, floored = false }: FakeTimeOptions
): FakeTime {
  let monotonicMs = 0
  let offsetMs = wallMs
  const pending = new Set<Pending>()

  function add (dueMs: number, callback: () => void): () => void {
    const entry = { dueMs, callback }
    pending.add(entry)
    return () => { pending.delete(entry) }
  }

  function next (untilMs: number): Pending | undefined {
    let first: Pending | undefined
    for (const entry of pending) {
      const isDue = entry.dueMs <= untilMs
      if (isDue && (first === undefined || entry.dueMs < first.dueMs)) first = entry
    }
    return first
  }

  function advance (ms: number): void {
    const untilMs = monotonicMs + ms
    for (let entry = next(untilMs); entry !== undefined; entry = next(untilMs)) {
      pending.delete(entry)
      monotonicMs = Math.max(monotonicMs, entry.dueMs)
      entry.callback()
    }
    monotonicMs = Math.max(monotonicMs, untilMs)
  }

  function after (delayMs: number, callback: () => void): () => void {
    return add(monotonicMs + Math.max(0, delayMs + jitterMs()), callback)
  }

  return {
    timers: {
      monotonic: () => monotonicMs,
      after,
      afterKeepingAlive: after,
      soon: (callback) => add(monotonicMs + TURN_MS, callback)
    },
    clock: {
      now: () => floored ? Math.floor(offsetMs + monotonicMs) : offsetMs + monotonicMs
    },
    get pendingCount () {
      return pending.size
    },
    advance,
    stall (ms) {
      monotonicMs += ms
      advance(0)
    },
    step (ms) {
      offsetMs += ms
    },
    suspend (ms) {
      offsetMs += ms
    }
  }
}
