/** Finds a dead connection that the browser has not noticed: nothing comes although it should. */
export interface Watchdog {
  /** Something has come. */
  heard (): void
  /** A connection is being made: something is due from now on. */
  begin (): void
  /** Something is due from now on, if it is not already. */
  asked (): void
  /** To be called once a second, or less often. @param intervalMs between two ticks. */
  look (intervalMs: number): void
}

/** For how many looks an answer may be late: a server may stall, and a network. */
const ANSWER_PATIENCE = 10
/** For how many a tick may, before it asks. */
const TICK_PATIENCE = 5

/**
 * It counts looks, not milliseconds: how long nothing came cannot be said of a page that was
 * frozen, or asleep, or looks once a minute only because it is hidden; and what came meanwhile is
 * read before the next look. Nor is a missing tick a sign of death: it asks first.
 */
export function createWatchdog (ask: () => void, drop: () => void): Watchdog {
  let silentLooks = 0
  let isAsked = false

  function asked (): void {
    if (!isAsked) silentLooks = 0
    isAsked = true
  }

  function heard (): void {
    isAsked = false
    silentLooks = 0
  }

  return {
    asked,
    heard,
    begin () {
      heard()
      asked()
    },
    look (intervalMs) {
      silentLooks++
      if (isAsked && silentLooks > ANSWER_PATIENCE) drop()
      if (isAsked || !(silentLooks > intervalMs / 1000 + TICK_PATIENCE)) return
      asked()
      ask()
    }
  }
}
