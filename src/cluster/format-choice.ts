import type { Timers } from '../util/timers.js'
import { BINARY_FORMAT, decodePack } from './binary-format.js'
import type { Envelope } from './envelope.js'
import { decodeJson } from './json-format.js'

/** Decides in which wire format a server may write, so that every peer can read it. */
export interface FormatChoice {
  /** True while there may be a peer that reads format 1 only. */
  mustUseOldFormat (): boolean
  /** Records the newest wire format that a peer reads. */
  noticePeer (reads: number): void
}

/** The newest format that this version reads. Alive messages announce it. */
export const NEWEST_FORMAT = BINARY_FORMAT

/**
 * A peer that has been silent for this long may have stalled. The messages that it missed are then
 * older than ten seconds, and the peer discards them in any format.
 */
const SILENCE_MS = 12_000

/**
 * A server writes format 1 for its first twelve seconds, and for twelve seconds after each alive
 * message of a peer that reads nothing newer. Servers of both versions can therefore run side by
 * side in a rolling update without losing messages.
 */
export function createFormatChoice (timers: Timers): FormatChoice {
  let oldUntilMs = timers.monotonic() + SILENCE_MS
  return {
    mustUseOldFormat: () => timers.monotonic() < oldUntilMs,
    noticePeer (reads) {
      if (reads < NEWEST_FORMAT) oldUntilMs = timers.monotonic() + SILENCE_MS
    }
  }
}

/**
 * Reads a payload of either format.
 *
 * @returns undefined if it is not valid.
 */
export function decodePayload (payload: Uint8Array): readonly Envelope[] | undefined {
  if (payload[0] === BINARY_FORMAT) return decodePack(payload)
  const envelope = decodeJson(payload)
  return envelope && [envelope]
}
