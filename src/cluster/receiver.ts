import type { Deliver } from '../api/backplane.js'
import type { BackplaneStats } from '../api/stats.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneHealth } from './backplane-health.js'
import { encodeSender } from './binary-format.js'
import type { Alive, Broadcast, Cancel, Envelope, Identity } from './envelope.js'
import { createPeers } from './peers.js'
import { decodePayload } from './format-choice.js'
import type { FormatChoice } from './format-choice.js'

export interface ReceiverOptions {
  identity: Identity
  format: FormatChoice
  counters: BackplaneStats
  health: BackplaneHealth
  timers: Timers
  /** The server's time. */
  now: () => number
  /** Called when a peer is heard of for the first time. */
  onNewPeer: () => void
  /**
   * Called once with each message of another server, in the order in which that server sent its
   * messages. If this throws, the message counts as lost.
   */
  receive: (message: Broadcast | Cancel) => void
}

/** An older message is discarded, because it may be outdated. */
const MAX_AGE_MS = 10_000

/**
 * Handles the payloads that other servers publish. Discards echoes, duplicates, old messages, and
 * messages of other registrations, and counts missing messages.
 */
export function createReceiver (
  { identity, format, counters, health, timers, now, onNewPeer, receive }: ReceiverOptions
): Deliver {
  const peers = createPeers(timers)
  const ownSender = encodeSender(identity)

  /** True if this server published the payload itself, so that it need not be decoded. */
  function isEcho (payload: Uint8Array): boolean {
    return ownSender.equals(payload.subarray(0, ownSender.length))
  }

  function handle (envelope: Envelope): void {
    const { registration, peer } = envelope
    if (registration !== identity.registration || peer === identity.peer) return
    if (!peers.has(peer)) onNewPeer()
    if (envelope.type === 'alive') handleAlive(envelope)
    else handleMessage(envelope)
  }

  function handleAlive ({ peer, seq, reads }: Alive): void {
    format.noticePeer(reads)
    const missingCount = peers.noteAlive(peer, seq)
    if (missingCount === 'implausible') counters.invalid++
    else counters.lost += missingCount
  }

  function handleMessage (message: Broadcast | Cancel): void {
    const missingCount = peers.noteMessage(message.peer, message.seq)
    if (missingCount === 'duplicate') {
      counters.duplicate++
    } else if (missingCount === 'implausible') {
      counters.invalid++
    } else {
      counters.lost += missingCount
      if (now() - message.sent > MAX_AGE_MS) counters.stale++
      else deliver(message)
    }
  }

  function deliver (message: Broadcast | Cancel): void {
    try {
      receive(message)
      counters.received++
    } catch (err) {
      counters.lost++
      health.rejected(err)
    }
  }

  return (payload) => {
    // An echo, too, shows that reading works.
    health.worked('reading')
    if (isEcho(payload)) return
    const envelopes = decodePayload(payload)
    if (envelopes === undefined) counters.invalid++
    else envelopes.forEach(handle)
  }
}
