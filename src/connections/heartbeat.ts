import type { Client } from './client.js'
import { SILENT } from './endings.js'
import { encodePing } from '../protocol/frame.js'

export interface HeartbeatOptions {
  /** Milliseconds between two pings to one client. */
  interval: number
  /** Milliseconds in which a sign of life must come after a ping. */
  timeout: number
}

/**
 * Finds connections that are dead though nobody closed them: pings each client (RFC 6455
 * §5.5.2), and terminates one from which not a byte has come since, in time.
 *
 * It counts rounds, not milliseconds. However long the process was held up, by its own work or
 * a SIGSTOP, that is one round: whatever clients answered meanwhile is read in the next turn of
 * the event loop, before a further round can come.
 */
export interface Heartbeat<Context> {
  /** Milliseconds between two rounds. */
  readonly roundMs: number
  /** Begins a round, in which `check` is called once for each client. */
  nextRound (): void
  /** Pings the client if it is time to, and ends it if it has not answered in time. */
  check (client: Client<Context>): void
  /**
   * Whether this process was held up, for half a second or more, since it pinged the client so
   * many milliseconds ago: rounds are missing then.
   */
  wasHeldUp (client: Client<Context>, sinceMs: number): boolean
}

const MAX_ROUND_MS = 250
/** At least so many rounds in an interval, and half as many in a timeout. */
const MIN_ROUNDS = 4

export function createHeartbeat<Context> (
  { interval: intervalMs, timeout: timeoutMs }: HeartbeatOptions
): Heartbeat<Context> {
  const roundMs = Math.min(MAX_ROUND_MS, intervalMs / MIN_ROUNDS, 2 * timeoutMs / MIN_ROUNDS)
  const intervalRounds = Math.floor(intervalMs / roundMs)
  // One more: the ping may have waited for the end of its turn, and the turn have been long.
  const timeoutRounds = Math.ceil(timeoutMs / roundMs) + 1
  let round = 0
  let ping = encodePing(round)

  function roundsSincePing (client: Client<Context>): number {
    // Spread over the interval, so that those who come together are not pinged together.
    client.pingedRound ??= round - client.number % intervalRounds
    return round - client.pingedRound
  }

  return {
    roundMs,
    nextRound () {
      round++
      ping = encodePing(round)
    },
    check (client) {
      const rounds = roundsSincePing(client)
      if (client.isSilent) {
        if (rounds >= timeoutRounds) client.destroy(SILENT)
      } else if (rounds >= intervalRounds) {
        client.ping(ping, round)
      }
    },
    wasHeldUp: (client, sinceMs) => sinceMs >= (roundsSincePing(client) + 2) * roundMs
  }
}
