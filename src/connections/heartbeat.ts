import { isSilent, pingClient, pingRound } from './client.js'
import type { Client } from './client.js'
import { connectionNumber, terminateWith } from './client-connection.js'
import { SILENT } from './endings.js'
import { encodePing } from '../protocol/frame.js'

export interface HeartbeatOptions {
  /** Milliseconds between two pings to one client. */
  interval: number
  /** Milliseconds within which a client must send a byte after a ping. */
  timeout: number
}

/**
 * Detects dead connections: pings each client (RFC 6455 §5.5.2), and terminates a client that sends
 * no byte within the timeout.
 *
 * The heartbeat counts rounds, not milliseconds. A stall of the process, however long, and whether
 * caused by its own work or by a SIGSTOP, counts as one round. Everything that clients sent during
 * the stall is read in the next turn of the event loop, before another round can begin.
 */
export interface Heartbeat {
  /** Milliseconds between two rounds. */
  readonly roundMs: number
  /** Begins a round, in which `check` is called once for each client. */
  nextRound (): void
  /** Pings the client if a ping is due, or terminates it if it has not answered in time. */
  check (client: Client<unknown>): void
  /**
   * True if the process has stalled since it pinged the client, `sinceMs` milliseconds ago: at
   * least two rounds are then missing, which is half a second by default.
   */
  wasStalled (client: Client<unknown>, sinceMs: number): boolean
}

const MAX_ROUND_MS = 250
/** The fewest rounds in an interval; a timeout has half as many. */
const MIN_ROUNDS = 4

export function createHeartbeat (
  { interval: intervalMs, timeout: timeoutMs }: HeartbeatOptions
): Heartbeat {
  const roundMs = Math.min(MAX_ROUND_MS, intervalMs / MIN_ROUNDS, 2 * timeoutMs / MIN_ROUNDS)
  const intervalRounds = Math.floor(intervalMs / roundMs)
  // One extra round: the ping may be written only at the end of a long turn of the event loop.
  const timeoutRounds = Math.ceil(timeoutMs / roundMs) + 1
  let round = 0
  let ping = encodePing(round)

  function roundsSincePing (client: Client<unknown>): number {
    const pingedRound = pingRound.get(client)
    if (pingedRound !== undefined) return round - pingedRound
    // Spread over the interval, so that clients that connect together are not pinged together.
    const elapsedRounds = connectionNumber(client) % intervalRounds
    pingRound.set(client, round - elapsedRounds)
    return elapsedRounds
  }

  return {
    roundMs,
    nextRound () {
      round++
      ping = encodePing(round)
    },
    check (client) {
      const rounds = roundsSincePing(client)
      if (isSilent(client)) {
        if (rounds >= timeoutRounds) terminateWith(client, SILENT)
      } else if (rounds >= intervalRounds) {
        pingClient(client, ping, round)
      }
    },
    wasStalled: (client, sinceMs) => sinceMs >= (roundsSincePing(client) + 2) * roundMs
  }
}
