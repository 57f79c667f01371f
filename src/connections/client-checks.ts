import { expiresAtMonotonic, unfinishedBytes } from './client.js'
import type { Client } from './client.js'
import { closeAndStopReading, closeWith, isOpen } from './client-connection.js'
import type { Clients } from './client-registry.js'
import { EXPIRED, TOO_LARGE } from './endings.js'
import type { Heartbeat } from './heartbeat.js'
import type { Timers } from '../util/timers.js'

export interface ClientChecksOptions<Context> {
  clients: Clients<Context>
  timers: Timers
  /** Undefined if clients are not pinged. */
  heartbeat: Heartbeat | undefined
  /** The largest inbound message, in bytes. */
  maxMessageBytes: number
}

/**
 * Milliseconds between two checks without a heartbeat. A permission may last up to this much
 * longer.
 */
const PERIOD_MS = 250
/** How long a client may take for the closing handshake: ws would wait for 30 s. */
const CLOSE_TIMEOUT_MS = 5000
/** Other input that may count as an unfinished message: frame headers, one socket read. */
const INPUT_MARGIN_BYTES = 65_536

/**
 * Checks all connected clients periodically, with one timer. Closes a client whose permission has
 * expired, and a client whose unfinished message exceeds the limit. Terminates a dead client
 * (`heartbeat.ts`), and a client that does not complete the closing handshake.
 */
export function startClientChecks<Context> (
  { clients, timers, heartbeat, maxMessageBytes }: ClientChecksOptions<Context>
): void {
  const periodMs = heartbeat?.roundMs ?? PERIOD_MS
  const maxUnfinishedBytes = maxMessageBytes + INPUT_MARGIN_BYTES
  /** When each closing client was first found to be closing. */
  const closingSinceMs = new WeakMap<Client<Context>, number>()
  let cancel: (() => void) | undefined
  let dueMs = 0

  function checkAll (): void {
    const nowMs = timers.monotonic()
    // After a stall longer than one period, the schedule restarts: the next check is a full period
    // away.
    dueMs = (dueMs + periodMs > nowMs ? dueMs : nowMs) + periodMs
    cancel = timers.after(dueMs - nowMs, checkAll)
    heartbeat?.nextRound()
    for (const client of clients.byId.values()) check(client, nowMs)
  }

  function check (client: Client<Context>, nowMs: number): void {
    const expiresMs = expiresAtMonotonic(client)
    if (!isOpen(client)) checkClosing(client, nowMs)
    else if (expiresMs !== undefined && expiresMs <= nowMs) closeWith(client, EXPIRED)
    else if (unfinishedBytes(client) > maxUnfinishedBytes) closeAndStopReading(client, TOO_LARGE)
    else heartbeat?.check(client)
  }

  function checkClosing (client: Client<Context>, nowMs: number): void {
    const sinceMs = closingSinceMs.get(client)
    if (sinceMs === undefined) closingSinceMs.set(client, nowMs)
    else if (nowMs - sinceMs >= CLOSE_TIMEOUT_MS) client.terminate()
  }

  clients.runWhileConnected({
    start () {
      dueMs = timers.monotonic() + periodMs
      cancel = timers.after(periodMs, checkAll)
    },
    stop: () => cancel?.()
  })
}
