import type { Reading, ServerClock } from './server-time.js'
import type { Timers } from '../util/timers.js'

/** One pushed time. Times are milliseconds since the Unix epoch; fractions allowed. */
export interface Tick {
  /**
   * Counts up by one per tick, from 0, also where a format failed to show it; −1 in the
   * immediate tick of a client that came before the first.
   */
  readonly seq: number
  /** The boundary that this tick stands for: a whole multiple of `interval` when aligned. */
  readonly at: number
  /** When it was sent: never before `at`. */
  readonly sent: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** Goes up by one whenever the server's wall clock steps by more than 50 ms. */
  readonly epoch: number
}

/** Decides when the time is sent. */
export interface Ticker {
  /**
   * From now on, ticks; without effect while it does. A boundary that has passed already is not
   * made up for.
   */
  start (): void
  /** No more ticks, and no timer left; without effect while stopped. */
  stop (): void
  /**
   * The latest boundary as of now, for a client that has just come; undefined while the clock
   * fails.
   */
  current (): Tick | undefined
  /** The last one handed to `onTick`. */
  readonly lastTick: Tick | undefined
}

export interface TickerOptions {
  clock: ServerClock
  timers: Timers
  intervalMs: number
  /**
   * Boundaries at whole multiples of `intervalMs` since the Unix epoch, or since now on the
   * monotonic clock.
   */
  align: boolean
  /** Whether the tick before is still on its way: one that is due then is left out. */
  isBusy: () => boolean
  onTick: (tick: Tick) => void
  /** Called with how many boundaries have passed without a tick. */
  onMissed: (count: number) => void
}

/** No timer sleeps longer, so that steps of the wall clock and suspends are noticed. */
const MAX_SLEEP_MS = 1000
/** By so much a clock may be behind that has just stepped (`fine-clock.ts`), rounding included. */
const BEHIND_MS = 2
/** From this interval on, a tick is worth being exact to the microsecond. */
const FINE_INTERVAL_MS = 1000
/** How long before a boundary sleeping ends and polling starts; timers are up to 1.1 ms late. */
const FINE_MS = 2

/**
 * Ticks at whole multiples of `intervalMs`.
 *
 * Each delay is measured from the schedule, not from the last tick, so a slow
 * `onTick` never makes the clock drift. Boundaries missed while the event loop was
 * blocked are skipped rather than sent in a burst: a stale time helps nobody. When
 * the wall clock steps, the schedule goes on from where the clock now stands.
 */
export function createTicker (
  { clock, timers, intervalMs, align, isBusy, onTick, onMissed }: TickerOptions
): Ticker {
  const originMs = align ? 0 : timers.monotonic()
  // The number of the last boundary that was sent, or had passed when the schedule began.
  let lastBoundary = -Infinity
  let lastTick: Tick | undefined
  // Until the first look after a start.
  let isFresh = true
  // The epoch and the time of the look before.
  let epoch = clock.epoch
  let lookedMs = 0
  // When the latest boundary was, which is read from the wall clock once.
  let dated: { boundary: number, epoch: number, at: number } | undefined
  let pollingSinceMs: number | undefined
  let cancel: (() => void) | undefined

  /**
   * After a step, what passed since the look before is still sent, where the clock now stands:
   * after one back these are boundaries that were sent before, in the new epoch. What the clock
   * leapt over is not.
   */
  function look (): Moment | undefined {
    const reading = clock.look()
    if (reading === undefined) return undefined
    const lineMs = (align ? reading.wallMs : reading.monotonicMs) - originMs
    const boundary = Math.floor(lineMs / intervalMs)
    const isStep = clock.epoch !== epoch
    if (isStep && align) {
      const elapsedMs = reading.monotonicMs - lookedMs
      lastBoundary = Math.floor((lineMs - elapsedMs + BEHIND_MS) / intervalMs)
    }
    if (isFresh) lastBoundary = Math.max(lastBoundary, boundary)
    isFresh = false
    epoch = clock.epoch
    lookedMs = reading.monotonicMs
    return { ...reading, lineMs, boundary, isStep }
  }

  function arm (moment: Moment | undefined): void {
    cancel?.()
    if (moment === undefined) {
      cancel = timers.after(Math.min(intervalMs, MAX_SLEEP_MS), wake)
      return
    }
    const remainingMs = (lastBoundary + 1) * intervalMs - moment.lineMs
    const fine = intervalMs >= FINE_INTERVAL_MS
    if (fine && remainingMs <= FINE_MS) {
      pollingSinceMs ??= moment.monotonicMs
      // A clock that stands still would be polled for ever.
      const stuck = moment.monotonicMs - pollingSinceMs > 2 * FINE_MS
      cancel = stuck ? timers.after(1, wake) : timers.soon(wake)
      return
    }
    pollingSinceMs = undefined
    const sleepMs = Math.ceil(fine ? remainingMs - FINE_MS : remainingMs)
    cancel = timers.after(Math.min(sleepMs, MAX_SLEEP_MS), wake)
  }

  function wake (): void {
    const moment = look()
    const passed = moment === undefined ? 0 : moment.boundary - lastBoundary
    if (moment === undefined || passed <= 0) return arm(moment)
    lastBoundary = moment.boundary
    arm(moment)
    const isLeftOut = isBusy()
    const missed = isLeftOut ? passed : passed - 1
    if (missed > 0) onMissed(missed)
    if (isLeftOut) return
    lastTick = tickAt(moment, moment.boundary, (lastTick?.seq ?? -1) + 1)
    onTick(lastTick)
  }

  function tickAt (moment: Moment, boundary: number, seq: number): Tick {
    const at = align ? boundary * intervalMs : dateOf(moment, boundary)
    return Object.freeze({ seq, at, sent: moment.wallMs, interval: intervalMs, epoch })
  }

  function dateOf ({ lineMs, wallMs }: Moment, boundary: number): number {
    if (dated?.boundary !== boundary || dated.epoch !== epoch) {
      dated = { boundary, epoch, at: wallMs - (lineMs - boundary * intervalMs) }
    }
    return dated.at
  }

  return {
    start () {
      if (cancel !== undefined) return
      isFresh = true
      pollingSinceMs = undefined
      arm(look())
    },
    stop () {
      cancel?.()
      cancel = undefined
    },
    current () {
      const moment = look()
      if (moment === undefined) return undefined
      if (moment.isStep && cancel !== undefined) arm(moment)
      // Not one that is due but not yet sent: its own tick is about to follow.
      const boundary = Math.min(lastBoundary, moment.boundary)
      return tickAt(moment, boundary, lastTick?.seq ?? -1)
    },
    get lastTick () {
      return lastTick
    }
  }
}

/** One look at the clocks. */
interface Moment extends Reading {
  /**
   * Where the schedule's own line stands: the wall clock, or the monotonic one since
   * `originMs`.
   */
  readonly lineMs: number
  /** The number of the latest boundary on that line. */
  readonly boundary: number
  /** Whether the wall clock stepped since the look before. */
  readonly isStep: boolean
}
