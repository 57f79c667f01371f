import type { Client } from './client.js'
import { SHUTTING_DOWN } from './endings.js'
import type { Timers } from '../util/timers.js'

/** Who can be sent away: a client. */
export type Leaver = Pick<Client<unknown>, 'end' | 'terminate'>

export interface FarewellOptions {
  /** In the order in which they are told. */
  leavers: readonly Leaver[]
  timers: Timers
  /** How long each has to answer its close frame. */
  graceMs: number
  /** Over how long the close frames are spread, evenly; 0 sends all of them at once. */
  spreadMs: number
  /** Called when there is no time left but to tell all, at most once. */
  onHurry: () => void
  /** Called once the last has been terminated; where there is nobody, after the grace. */
  onEnd: () => void
}

/** How long the event loop may be kept from turning: very many clients take a while. */
const SLICE_MS = 4
/** How much later than planned all is over, where there are more than can be told in time. */
const OVERRUN_MS = 100

/**
 * Closes clients with 1001, one after another, and terminates each `graceMs` after it was told,
 * at the latest 100 ms after `spreadMs` and `graceMs`. Telling all may take as long as dealing
 * with their answers, in between: when half of the last one's grace has passed, those who have
 * still to be told are told without a break. Keeps the process alive until it has ended.
 *
 * @returns a function that calls off what is still to be done.
 */
export function sayFarewell (
  { leavers, timers, graceMs, spreadMs, onHurry, onEnd }: FarewellOptions
): () => void {
  const startMs = timers.monotonic()
  const hurryMs = startMs + spreadMs + graceMs / 2
  const deadlineMs = startMs + spreadMs + graceMs + OVERRUN_MS
  /** When each was told, as far as that has come. */
  const toldMs: number[] = []
  let terminatedCount = 0
  let isHurrying = false
  let cancel = (): void => {}

  const tellDueMs = () => toldMs.length === leavers.length
    ? Infinity
    : startMs + spreadMs * toldMs.length / leavers.length
  const terminateDueMs = () => terminatedCount === toldMs.length
    ? Infinity
    : Math.min(Number(toldMs[terminatedCount]) + graceMs, deadlineMs)

  /** @returns whether anything was due. */
  function serveOne (nowMs: number): boolean {
    if (tellDueMs() <= nowMs) {
      leavers[toldMs.length]?.end(SHUTTING_DOWN)
      toldMs.push(nowMs)
      return true
    }
    if (terminateDueMs() > nowMs) return false
    leavers[terminatedCount++]?.terminate()
    return true
  }

  function isUrgent (nowMs: number): boolean {
    return nowMs >= (toldMs.length < leavers.length ? hurryMs : deadlineMs)
  }

  function hurry (): void {
    if (isHurrying || toldMs.length === leavers.length) return
    isHurrying = true
    onHurry()
  }

  function serve (): void {
    let nowMs = timers.monotonic()
    const endMs = nowMs + SLICE_MS
    while (serveOne(nowMs)) {
      nowMs = timers.monotonic()
      if (nowMs < endMs) continue
      if (!isUrgent(nowMs)) {
        cancel = timers.soon(serve)
        return
      }
      hurry()
    }
    const dueMs = Math.min(tellDueMs(), terminateDueMs())
    if (dueMs < Infinity) cancel = timers.hold(Math.ceil(dueMs - nowMs), serve)
    else if (leavers.length > 0) onEnd()
    else cancel = timers.hold(graceMs, onEnd)
  }

  serve()
  return () => cancel()
}
