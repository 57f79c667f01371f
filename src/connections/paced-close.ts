import type { Timers } from '../util/timers.js'

export interface CloseAllOptions<Client> {
  /** In the order in which they are closed. */
  clients: readonly Client[]
  /** Sends a client its close frame. */
  close: (client: Client) => void
  terminate: (client: Client) => void
  timers: Timers
  /** Milliseconds that each client has to answer its close frame. */
  graceMs: number
  /** Milliseconds over which the close frames are spread, evenly; 0 sends all of them at once. */
  spreadMs: number
  /** False sends the close frames that are due without yielding to other work. */
  isPaced: boolean
  /** Called at most once, when the remaining close frames must be sent without yielding. */
  onPacingSkipped: () => void
  /** Called once, when the last client has been terminated; without clients, after the grace. */
  onEnd: () => void
}

/** How long this code runs before it yields to the event loop. */
const SLICE_MS = 4
/** How much later than planned the end may be if there are too many clients to close in time. */
const OVERRUN_MS = 100

/**
 * Closes clients one after another. Terminates each client `graceMs` after its close frame, and all
 * clients 100 ms after `spreadMs` plus `graceMs` at the latest. Yields to the event loop between
 * slices of close frames, so that answers are handled in time. When half of the last client's grace
 * has passed, sends the remaining close frames without yielding. Keeps the process alive until the
 * end.
 *
 * @returns a function that cancels the remaining work.
 */
export function closeAll<Client> (options: CloseAllOptions<Client>): () => void {
  const { clients, close, terminate, timers, graceMs, spreadMs, isPaced, ...callbacks } = options
  const startMs = timers.monotonic()
  /** From this time on, close frames are sent without yielding. Unless paced, from the start. */
  const skipPacingMs = isPaced ? startMs + spreadMs + graceMs / 2 : startMs
  const deadlineMs = startMs + spreadMs + graceMs + OVERRUN_MS
  /** When each client that has been closed was sent its close frame. */
  const closedMs: number[] = []
  let terminatedCount = 0
  let hasSkippedPacing = false
  let cancel = (): void => {}

  const areAllClosed = () => closedMs.length === clients.length
  const nextCloseMs = () => areAllClosed()
    ? Infinity
    : startMs + spreadMs * closedMs.length / clients.length
  const nextTerminateMs = () => terminatedCount === closedMs.length
    ? Infinity
    : Math.min(Number(closedMs[terminatedCount]) + graceMs, deadlineMs)

  /** @returns true if something was due. */
  function runOne (nowMs: number): boolean {
    if (nextCloseMs() <= nowMs) {
      close(clients[closedMs.length] as Client)
      closedMs.push(nowMs)
      return true
    }
    if (nextTerminateMs() > nowMs) return false
    terminate(clients[terminatedCount++] as Client)
    return true
  }

  const mayYield = (nowMs: number) => nowMs < (areAllClosed() ? deadlineMs : skipPacingMs)

  function notifyPacingSkipped (): void {
    if (hasSkippedPacing || areAllClosed()) return
    hasSkippedPacing = true
    callbacks.onPacingSkipped()
  }

  function run (): void {
    let nowMs = timers.monotonic()
    const sliceEndMs = nowMs + SLICE_MS
    while (runOne(nowMs)) {
      nowMs = timers.monotonic()
      if (nowMs < sliceEndMs) continue
      if (mayYield(nowMs)) {
        cancel = timers.soon(run)
        return
      }
      notifyPacingSkipped()
    }
    const dueMs = Math.min(nextCloseMs(), nextTerminateMs())
    if (dueMs < Infinity) cancel = timers.afterKeepingAlive(Math.ceil(dueMs - nowMs), run)
    else if (clients.length > 0) callbacks.onEnd()
    else cancel = timers.afterKeepingAlive(graceMs, callbacks.onEnd)
  }

  run()
  return () => cancel()
}
