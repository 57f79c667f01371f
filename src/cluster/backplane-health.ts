import type { Log } from '../observability/log.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneStats } from '../api/stats.js'

/** What a backplane does for us. */
export type Side = 'publishing' | 'reading'

/** Counts the failures of a backplane, and logs when it goes and is back, and what was lost. */
export interface BackplaneHealth {
  failed (side: Side, err: unknown): void
  worked (side: Side): void
  /** Looks whether there is anything to log. Called every second. */
  look (): void
}

export interface BackplaneHealthOptions {
  counters: BackplaneStats
  timers: Timers
  log: Log
}

/** Nothing may fail for so long before it counts as back: by then, what was lost is known. */
const CALM_MS = 2000
/** At least so long between two lines that tell of losses. */
const QUIET_MS = 10_000

export function createBackplaneHealth (
  { counters, timers, log }: BackplaneHealthOptions
): BackplaneHealth {
  const failing = new Set<Side>()
  let outage: { sinceMs: number, before: BackplaneStats } | undefined
  let failedMs = -Infinity
  let told = { ...counters }
  let toldMs = -Infinity

  function tellBack ({ sinceMs, before }: Exclude<typeof outage, undefined>): void {
    const away = Math.round(failedMs - sinceMs)
    log.error({ away, ...countsSince(before, counters) }, 'the backplane is back')
    outage = undefined
    told = { ...counters }
  }

  function tellLosses (): void {
    const { lost, stale, invalid } = countsSince(told, counters)
    if (lost + stale + invalid === 0 || timers.monotonic() - toldMs < QUIET_MS) return
    log.warn({ lost, stale, invalid }, 'messages of other servers were lost')
    told = { ...counters }
    toldMs = timers.monotonic()
  }

  return {
    failed (side, err) {
      counters.errors++
      failing.add(side)
      failedMs = timers.monotonic()
      if (outage !== undefined) return log.debug({ err }, 'the backplane failed again')
      outage = { sinceMs: failedMs, before: { ...counters } }
      log.error({ err }, 'the backplane failed')
    },
    worked (side) {
      failing.delete(side)
    },
    look () {
      if (outage === undefined) return tellLosses()
      if (failing.size === 0 && timers.monotonic() - failedMs >= CALM_MS) tellBack(outage)
    }
  }
}

function countsSince (before: BackplaneStats, now: BackplaneStats): BackplaneStats {
  const differences = Object.entries(now).map(([name, count]) => {
    return [name, count - before[name as keyof BackplaneStats]]
  })
  return Object.fromEntries(differences)
}
