import type { Deliver } from '../api/backplane.js'
import type { BackplaneStats } from '../api/stats.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneHealth } from './backplane-health.js'
import { encodeSender } from './binary-format.js'
import type { Alive, Broadcast, Cancel, Envelope, Identity } from './envelope.js'
import { createPeers } from './peers.js'
import { decodePayload } from './wire-format.js'
import type { WireFormat } from './wire-format.js'

export interface ReceiverOptions {
  identity: Identity
  format: WireFormat
  counters: BackplaneStats
  health: BackplaneHealth
  timers: Timers
  /** The server's time. */
  now: () => number
  /** Called when a peer is heard of for the first time. */
  onNewPeer: () => void
  /**
   * Takes a message of another server: each once, in the order of its peer. If it throws, the
   * message counts as lost.
   */
  receive: (message: Broadcast | Cancel) => void
}

/** An older message is discarded: what was true then may not be true now. */
const MAX_AGE_MS = 10_000

/**
 * Takes what other servers publish. Discards echoes, duplicates, old messages, and those of other
 * registrations, and counts what is missing.
 */
export function createReceiver (
  { identity, format, counters, health, timers, now, onNewPeer, receive }: ReceiverOptions
): Deliver {
  const peers = createPeers(timers)
  const ownSender = encodeSender(identity)

  /** Saves decoding what this server has published itself. */
  function isEcho (payload: Uint8Array): boolean {
    return ownSender.equals(payload.subarray(0, ownSender.length))
  }

  function take (envelope: Envelope): void {
    const { registration, peer } = envelope
    if (registration !== identity.registration || peer === identity.peer) return
    if (!peers.has(peer)) onNewPeer()
    if (envelope.type === 'alive') takeAlive(envelope)
    else takeMessage(envelope)
  }

  function takeAlive ({ peer, seq, reads }: Alive): void {
    format.noticePeer(reads)
    const missingCount = peers.noteAlive(peer, seq)
    if (missingCount === 'implausible') counters.invalid++
    else counters.lost += missingCount
  }

  function takeMessage (message: Broadcast | Cancel): void {
    const missingCount = peers.noteMessage(message.peer, message.seq)
    if (missingCount === 'duplicate') {
      counters.duplicate++
    } else if (missingCount === 'implausible') {
      counters.invalid++
    } else {
      counters.lost += missingCount
      if (now() - message.sent > MAX_AGE_MS) counters.stale++
      else handOn(message)
    }
  }

  function handOn (message: Broadcast | Cancel): void {
    try {
      receive(message)
      counters.received++
    } catch (err) {
      counters.lost++
      health.rejected(err)
    }
  }

  return (payload) => {
    // An echo shows it as well.
    health.worked('reading')
    if (isEcho(payload)) return
    const envelopes = decodePayload(payload)
    if (envelopes === undefined) counters.invalid++
    else envelopes.forEach(take)
  }
}
