/** Finds a dead connection that the browser has not noticed: nothing comes although it should. */
export interface Watchdog {
  /** Something has come. */
  onHeard (): void
  /** An answer is due from now on, if it is not already. */
  onAsked (): void
  /** To be called once a second, or less often. */
  check (state: { intervalMs: number, bufferedBytes: number }): void
}

export interface WatchdogOptions {
  /** Sends a probe. @returns whether it was sent. */
  probe: () => boolean
  drop: () => void
  /** For how many checks an answer may be late, 10 or more, as long as the connection is young. */
  patience: number
}

/** For how many checks an answer may be late: a server may stall, and a network. */
export const PATIENCE = 10
/** For how many if bytes wait to be sent: not every runtime shows how they get less. */
const BUFFERED_PATIENCE = 30
/** For how many a tick may be late before the watchdog asks. */
const TICK_PATIENCE = 5
/** A connection is young for so many checks. */
const YOUNG = 60

/**
 * It counts checks, not milliseconds: a page that was frozen, asleep or hidden cannot say how long
 * nothing came, and what came meanwhile is read before the next check. Nor does a missing tick
 * prove anything: the watchdog asks first. Bytes that leave are signs of life as well.
 */
export function createWatchdog ({ probe, drop, patience }: WatchdogOptions): Watchdog {
  let silentCount = 0
  let heardAt = 0
  let checkCount = 0
  /** A handshake is an answer that is due. */
  let isAsked = true
  let lastBytes = 0

  function onAsked (): void {
    if (!isAsked) silentCount = 0
    isAsked = true
  }

  function onHeard (): void {
    isAsked = false
    silentCount = 0
    heardAt = checkCount
  }

  function allowed (bufferedBytes: number): number {
    const usual = heardAt > YOUNG ? PATIENCE : patience
    return bufferedBytes > 0 ? Math.max(usual, BUFFERED_PATIENCE) : usual
  }

  return {
    onHeard,
    onAsked,
    check ({ intervalMs, bufferedBytes }) {
      checkCount++
      if (bufferedBytes < lastBytes) silentCount = 0
      lastBytes = bufferedBytes
      silentCount++
      if (isAsked && silentCount > allowed(bufferedBytes)) drop()
      else if (!isAsked && silentCount > intervalMs / 1000 + TICK_PATIENCE) {
        if (probe() || bufferedBytes > 0) onAsked()
      }
    }
  }
}
