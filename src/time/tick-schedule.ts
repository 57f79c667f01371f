import type { Tick } from '../api/content.js'
import type { Reading, WallClock } from './wall-clock.js'
import type { Timers } from '../util/timers.js'

/** Decides when ticks are sent. */
export interface Ticker {
  /**
   * Starts the schedule. Has no effect while the schedule is running. A boundary that has already
   * passed gets no tick.
   */
  start (): void
  /** Stops the schedule and cancels the timer. Has no effect while the schedule is stopped. */
  stop (): void
  /**
   * A tick for the latest boundary, with the current time, for a client that has just connected;
   * undefined while the clock fails.
   */
  current (): Tick | undefined
  /** The last tick passed to `onTick`. */
  readonly lastTick: Tick | undefined
}

export interface TickerOptions {
  clock: WallClock
  timers: Timers
  intervalMs: number
  /**
   * True while the previous tick is still being sent. A boundary that is reached meanwhile gets no
   * tick.
   */
  isBusy: () => boolean
  onTick: (tick: Tick) => void
  /** Called with the number of boundaries that have passed without a tick. */
  onMissed: (count: number) => void
}

/** The longest delay of the timer, so that clock steps and suspends are noticed. */
const MAX_SLEEP_MS = 1000
/** How far a clock that has just stepped may be behind (`fine-clock.ts`), rounding included. */
const BEHIND_MS = 2
/** With an interval of at least this, ticks are exact to one turn of the event loop. */
const FINE_INTERVAL_MS = 1000
/** The timer wakes this long before a boundary, then polls: timers are up to 1.1 ms late. */
const FINE_MS = 2

/**
 * Ticks at whole multiples of `intervalMs` since the Unix epoch.
 *
 * Each delay is measured from the wall clock, not from the last tick, so a slow `onTick` never
 * makes the schedule drift. Boundaries that passed while the event loop was blocked get one tick
 * together, for the latest of them, not a burst. When the wall clock steps, the schedule continues
 * from the time the clock shows now.
 */
export function createTicker (
  { clock, timers, intervalMs, isBusy, onTick, onMissed }: TickerOptions
): Ticker {
  // The number of the last boundary that was sent, or had passed when the schedule began.
  let lastBoundary = -Infinity
  let lastTick: Tick | undefined
  // True until the first reading after a start.
  let isFirstReading = true
  let lastClockSteps = clock.clockSteps
  let lastReadingMs = 0
  let pollingSinceMs: number | undefined
  let cancel: (() => void) | undefined

  /**
   * Reads the clocks. After a clock step, only those boundaries are due that lie, by the new wall
   * clock, in the time since the last reading. After a step back, these boundaries are sent once
   * more. After a step forward, the boundaries in between are not sent.
   */
  function readClocks (): Moment | undefined {
    const reading = clock.readClocks()
    if (reading === undefined) return undefined
    const { wallMs, monotonicMs } = reading
    const boundary = Math.floor(wallMs / intervalMs)
    const isStep = clock.clockSteps !== lastClockSteps
    if (isStep) {
      const elapsedMs = monotonicMs - lastReadingMs
      lastBoundary = Math.floor((wallMs - elapsedMs + BEHIND_MS) / intervalMs)
    }
    if (isFirstReading) lastBoundary = Math.max(lastBoundary, boundary)
    isFirstReading = false
    lastClockSteps = clock.clockSteps
    lastReadingMs = monotonicMs
    return { wallMs, monotonicMs, boundary, isStep }
  }

  function schedule (moment: Moment | undefined): void {
    cancel?.()
    if (moment === undefined) {
      cancel = timers.after(Math.min(intervalMs, MAX_SLEEP_MS), wake)
      return
    }
    const remainingMs = (lastBoundary + 1) * intervalMs - moment.wallMs
    const isExact = intervalMs >= FINE_INTERVAL_MS
    if (isExact && remainingMs <= FINE_MS) return poll(moment)
    pollingSinceMs = undefined
    const sleepMs = Math.ceil(isExact ? remainingMs - FINE_MS : remainingMs)
    cancel = timers.after(Math.min(sleepMs, MAX_SLEEP_MS), wake)
  }

  function poll ({ monotonicMs }: Moment): void {
    pollingSinceMs ??= monotonicMs
    // Otherwise a clock that stands still would be polled for ever.
    const isStuck = monotonicMs - pollingSinceMs > 2 * FINE_MS
    cancel = isStuck ? timers.after(1, wake) : timers.soon(wake)
  }

  function wake (): void {
    const moment = readClocks()
    const passedCount = moment === undefined ? 0 : moment.boundary - lastBoundary
    if (moment === undefined || passedCount <= 0) return schedule(moment)
    lastBoundary = moment.boundary
    schedule(moment)
    const isMissed = isBusy()
    const missedCount = isMissed ? passedCount : passedCount - 1
    if (missedCount > 0) onMissed(missedCount)
    if (isMissed) return
    lastTick = tickAt(moment, moment.boundary, (lastTick?.seq ?? -1) + 1)
    onTick(lastTick)
  }

  function tickAt ({ wallMs }: Moment, boundary: number, seq: number): Tick {
    const at = boundary * intervalMs
    const clockSteps = lastClockSteps
    return Object.freeze({ seq, at, sent: wallMs, interval: intervalMs, clockSteps })
  }

  return {
    start () {
      if (cancel !== undefined) return
      isFirstReading = true
      pollingSinceMs = undefined
      schedule(readClocks())
    },
    stop () {
      cancel?.()
      cancel = undefined
    },
    current () {
      const moment = readClocks()
      if (moment === undefined) return undefined
      if (moment.isStep && cancel !== undefined) schedule(moment)
      // A boundary that is due but not yet sent is left to its own tick.
      const boundary = Math.min(lastBoundary, moment.boundary)
      return tickAt(moment, boundary, lastTick?.seq ?? -1)
    },
    get lastTick () {
      return lastTick
    }
  }
}

/** One reading of the clocks. */
interface Moment extends Pick<Reading, 'wallMs' | 'monotonicMs'> {
  /** The number of the latest boundary: whole intervals since the Unix epoch. */
  readonly boundary: number
  /** True if the wall clock stepped since the last reading. */
  readonly isStep: boolean
}
