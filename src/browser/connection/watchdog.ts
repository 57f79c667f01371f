/**
 * Detects a dead connection that the browser has not noticed: an answer is due, and nothing
 * arrives.
 */
export interface Watchdog {
  /** Must be called when anything has arrived. */
  onReceived (): void
  /** Must be called when a probe has been sent: from then on, an answer is due. */
  onProbed (): void
  /** Must be called once a second, or less often. */
  check (state: { intervalMs: number, bufferedBytes: number }): void
}

export interface WatchdogOptions {
  /** Sends a probe. Returns true if the probe was sent. */
  probe: () => boolean
  /** Ends the connection. */
  drop: () => void
  /** How many checks an answer may be late while the connection is young: 10 or more. */
  patience: number
}

/** How many checks an answer may be late: a server or a network may stall. */
export const PATIENCE = 10
/** The same while bytes are buffered: not every runtime updates `bufferedAmount` as they leave. */
const BUFFERED_PATIENCE = 30
/** How many checks a tick may be late before the watchdog probes. */
const TICK_PATIENCE = 5
/** A connection is young for this many checks. */
const YOUNG = 60

/**
 * The watchdog counts checks, not milliseconds: a page that was frozen, asleep or hidden cannot
 * tell for how long nothing arrived, and data that arrived meanwhile is read before the next check.
 * A missing tick proves nothing either: the watchdog probes first. Bytes that leave the buffer also
 * show that the connection is alive.
 */
export function createWatchdog ({ probe, drop, patience }: WatchdogOptions): Watchdog {
  let silentCount = 0
  let heardAt = 0
  let checkCount = 0
  /** True at first, because the handshake must be answered. */
  let isAnswerDue = true
  let lastBytes = 0

  function onProbed (): void {
    if (!isAnswerDue) silentCount = 0
    isAnswerDue = true
  }

  function onReceived (): void {
    isAnswerDue = false
    silentCount = 0
    heardAt = checkCount
  }

  function allowed (bufferedBytes: number): number {
    const usual = heardAt > YOUNG ? PATIENCE : patience
    return bufferedBytes > 0 ? Math.max(usual, BUFFERED_PATIENCE) : usual
  }

  return {
    onReceived,
    onProbed,
    check ({ intervalMs, bufferedBytes }) {
      checkCount++
      if (bufferedBytes < lastBytes) silentCount = 0
      lastBytes = bufferedBytes
      silentCount++
      if (isAnswerDue && silentCount > allowed(bufferedBytes)) drop()
      else if (!isAnswerDue && silentCount > intervalMs / 1000 + TICK_PATIENCE) {
        if (probe() || bufferedBytes > 0) onProbed()
      }
    }
  }
}
