import type { BackplaneStats } from '../api/stats.js'
import type { Log } from '../observability/log.js'
import type { Timers } from '../util/timers.js'

/** The two directions in which a server uses a backplane. */
export type Side = 'publishing' | 'reading'

/** Counts the failures of a backplane, and logs outages, recoveries and losses. */
export interface BackplaneHealth {
  /** Must be called after each failure. */
  failed (side: Side, err: unknown): void
  /** Must be called after each success. */
  worked (side: Side): void
  /** Must be called when a message of another server could not be delivered here. */
  rejected (err: unknown): void
  /** Logs a recovery, or lost messages, if there is anything to log. Called every second. */
  logChanges (): void
}

export interface BackplaneHealthOptions {
  counters: BackplaneStats
  timers: Timers
  log: Log
}

interface Outage {
  readonly sinceMs: number
  readonly before: BackplaneStats
  /** The messages of the errors that have been logged. */
  readonly causes: Set<string>
}

/** The backplane has recovered after this long without a failure: by then, the losses are known. */
const CALM_MS = 2000
/** The shortest time between two log lines about losses. */
const QUIET_MS = 10_000
/** The most causes logged per outage. Each cause is logged once. */
const MAX_CAUSES = 5

export function createBackplaneHealth (
  { counters, timers, log }: BackplaneHealthOptions
): BackplaneHealth {
  const failing = new Set<Side>()
  let outage: Outage | undefined
  let failedMs = -Infinity
  let logged = { ...counters }
  let loggedMs = -Infinity
  let rejection: unknown

  function logFailure ({ causes }: Outage, err: unknown): void {
    const cause = err instanceof Error ? err.message : String(err)
    const isNew = !causes.has(cause) && causes.size < MAX_CAUSES
    if (!isNew) return log.debug({ err }, 'the backplane failed again')
    causes.add(cause)
    log.error({ err }, 'the backplane failed')
  }

  function logRecovery ({ sinceMs, before }: Outage): void {
    const away = Math.round(failedMs - sinceMs)
    log.error({ away, ...countsSince(before, counters) }, 'the backplane is back')
    outage = undefined
    logged = { ...counters }
    rejection = undefined
  }

  function logLosses (): void {
    const { lost, stale, invalid } = countsSince(logged, counters)
    if (lost + stale + invalid === 0 || timers.monotonic() - loggedMs < QUIET_MS) return
    const fields = { lost, stale, invalid, ...(rejection !== undefined && { err: rejection }) }
    log.warn(fields, 'messages of other servers were lost')
    logged = { ...counters }
    loggedMs = timers.monotonic()
    rejection = undefined
  }

  return {
    failed (side, err) {
      counters.errors++
      failing.add(side)
      failedMs = timers.monotonic()
      outage ??= { sinceMs: failedMs, before: { ...counters }, causes: new Set() }
      logFailure(outage, err)
    },
    worked (side) {
      failing.delete(side)
    },
    rejected (err) {
      rejection = err
    },
    logChanges () {
      if (outage === undefined) return logLosses()
      if (failing.size === 0 && timers.monotonic() - failedMs >= CALM_MS) logRecovery(outage)
    }
  }
}

function countsSince (before: BackplaneStats, now: BackplaneStats): BackplaneStats {
  const differences = Object.entries(now).map(([name, count]) => {
    return [name, count - before[name as keyof BackplaneStats]]
  })
  return Object.fromEntries(differences)
}
