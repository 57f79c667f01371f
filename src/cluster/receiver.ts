import type { Deliver } from '../api/backplane.js'
import type { BackplaneHealth } from './backplane-health.js'
import { decodeEnvelope } from './envelope.js'
import type { Broadcast, Cancel, Identity } from './envelope.js'
import { createOrigins } from './peers.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneStats } from '../api/stats.js'

export interface ReceiverOptions {
  identity: Identity
  counters: BackplaneStats
  health: BackplaneHealth
  timers: Timers
  /** The server's time. */
  now: () => number
  /** Called when an origin is heard of for the first time. */
  onNewcomer: () => void
  /**
   * Takes a message of another server: each once, in the order of its origin. Where it throws, the
   * message counts as lost.
   */
  receive: (message: Broadcast | Cancel) => void
}

/** A message older than this is left out: what was true then may not be now. */
const MAX_AGE_MS = 10_000

/**
 * Hears what other servers publish. Leaves out echoes, duplicates, what is too old, and what is
 * for another time socket, and counts what is missing.
 */
export function createReceiver (
  { identity, counters, health, timers, now, onNewcomer, receive }: ReceiverOptions
): Deliver {
  const origins = createOrigins(timers)

  function accept (message: Broadcast | Cancel): void {
    const missingCount = origins.follow(message.origin, message.seq)
    if (missingCount === undefined) {
      counters.duplicate++
      return
    }
    counters.lost += missingCount
    if (now() - message.sent > MAX_AGE_MS) {
      counters.stale++
      return
    }
    try {
      receive(message)
      counters.received++
    } catch {
      counters.lost++
    }
  }

  return (payload) => {
    // Its own echo shows it as well.
    health.worked('reading')
    const envelope = decodeEnvelope(payload)
    if (envelope === undefined) {
      counters.invalid++
      return
    }
    const { registration, origin, seq } = envelope
    if (registration !== identity.registration || origin === identity.origin) return
    if (!origins.has(origin)) onNewcomer()
    if (envelope.type === 'alive') counters.lost += origins.catchUp(origin, seq)
    else accept(envelope)
  }
}
