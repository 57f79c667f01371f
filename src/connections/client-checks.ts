import type { Clients } from './client-registry.js'
import type { Client } from './client.js'
import { EXPIRED } from './endings.js'
import type { Heartbeat } from './heartbeat.js'
import type { Timers } from '../util/timers.js'

/** Looks at all who are connected, again and again: one timer for all of them. */
export interface Watch {
  /** Without effect while it runs. */
  start (): void
  /** Leaves no timer behind. */
  stop (): void
}

export interface WatchOptions<Context> {
  clients: Clients<Context>
  timers: Timers
  /** Undefined where clients are not pinged. */
  heartbeat: Heartbeat<Context> | undefined
}

/** Between two looks, where no heartbeat asks for shorter: a permission may last so much longer. */
const EVERY_MS = 250
/** How long the other side may take for the closing handshake: ws would wait for 30 s. */
const CLOSE_TIMEOUT_MS = 5000

/**
 * Ends clients whose permission has expired, who are dead (`heartbeat.ts`), or who do not
 * finish closing.
 */
export function createWatch<Context> (
  { clients, timers, heartbeat }: WatchOptions<Context>
): Watch {
  const everyMs = heartbeat?.roundMs ?? EVERY_MS
  let cancel: (() => void) | undefined
  let dueMs = 0

  function look (): void {
    const nowMs = timers.monotonic()
    // In step with the schedule, unless that has been missed altogether: then a whole period.
    dueMs = (dueMs + everyMs > nowMs ? dueMs : nowMs) + everyMs
    cancel = timers.after(dueMs - nowMs, look)
    heartbeat?.nextRound()
    for (const client of clients.byId.values()) check(client, nowMs)
  }

  function check (client: Client<Context>, nowMs: number): void {
    if (!client.isOpen) {
      client.leavingMs ??= nowMs
      if (nowMs - client.leavingMs >= CLOSE_TIMEOUT_MS) client.terminate()
    } else if (client.expiresMs !== undefined && client.expiresMs <= nowMs) {
      client.end(EXPIRED)
    } else {
      heartbeat?.check(client)
    }
  }

  return {
    start () {
      if (cancel !== undefined) return
      dueMs = timers.monotonic() + everyMs
      cancel = timers.after(everyMs, look)
    },
    stop () {
      cancel?.()
      cancel = undefined
    }
  }
}
