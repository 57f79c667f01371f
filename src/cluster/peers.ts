import type { Timers } from '../util/timers.js'

/** The known peers, and the number of the latest message of each. */
export interface Peers {
  /** The number of known peers. */
  readonly count: number
  has (peer: string): boolean
  /**
   * Records a message.
   *
   * @returns how many messages before this one are missing; `'duplicate'` if this message or a
   * later one has already arrived; `'implausible'` if no peer can have sent that many. The caller
   * must discard the message in the last two cases.
   */
  noteMessage (peer: string, seq: number): number | 'duplicate' | 'implausible'
  /**
   * Records an alive message, which carries the number of the latest message.
   *
   * @returns how many messages are missing; `'implausible'` as above.
   */
  noteAlive (peer: string, seq: number): number | 'implausible'
}

interface Peer {
  /** The number of the latest message. */
  readonly seq: number
  readonly heardMs: number
  /** Since when the peer has sent only numbers below `seq`; undefined if that is not so. */
  readonly behindSinceMs: number | undefined
}

/** A peer that has been silent for this long is forgotten. Longer than any outage should last. */
const SILENCE_MS = 3_600_000
/** The most peers that are known. If there are more, the one silent for longest is forgotten. */
const MAX_COUNT = 1000
/** More than any server sends. A message that implies more is discarded. */
const MAX_MESSAGES_PER_MS = 1000
/** A peer may stall for this long, and then send all its messages at once. */
const MIN_SILENCE_MS = 10_000
/**
 * After this long, a repeated message would be older than ten seconds, and discarded. A peer that
 * still sends lower numbers is therefore right, and the message with the higher number was forged.
 */
const BEHIND_MS = 12_000

/**
 * Counting starts with the first number that arrives from a peer: earlier messages of that peer
 * were not meant for this server.
 */
export function createPeers (timers: Timers): Peers {
  /** In the order in which they were last heard of. */
  const peers = new Map<string, Peer>()

  function remember (name: string, peer: Peer): void {
    peers.delete(name)
    peers.set(name, peer)
    for (const [oldest, { heardMs }] of peers) {
      if (peers.size <= MAX_COUNT && peer.heardMs - heardMs < SILENCE_MS) break
      peers.delete(oldest)
    }
  }

  function moveTo (name: string, seq: number): void {
    remember(name, { seq, heardMs: timers.monotonic(), behindSinceMs: undefined })
  }

  /**
   * @param step by how much a number must exceed the latest one to be new.
   * @returns how many numbers were skipped; negative if the number is not new.
   */
  function note (name: string, seq: number, step: number): number | 'implausible' {
    const heardMs = timers.monotonic()
    const peer = peers.get(name)
    const skipped = peer === undefined ? 0 : seq - peer.seq - step
    const silenceMs = Math.max(MIN_SILENCE_MS, heardMs - (peer?.heardMs ?? heardMs))
    if (skipped > silenceMs * MAX_MESSAGES_PER_MS) return 'implausible'
    if (peer === undefined || skipped >= 0) {
      moveTo(name, seq)
      return skipped
    }
    const behindSinceMs = peer.behindSinceMs ?? heardMs
    if (heardMs - behindSinceMs < BEHIND_MS) {
      remember(name, { ...peer, heardMs, behindSinceMs })
      return skipped
    }
    moveTo(name, seq)
    return 0
  }

  return {
    get count () {
      return peers.size
    },
    has: (peer) => peers.has(peer),
    noteMessage (peer, seq) {
      const skipped = note(peer, seq, 1)
      return skipped !== 'implausible' && skipped < 0 ? 'duplicate' : skipped
    },
    noteAlive (peer, seq) {
      const skipped = note(peer, seq, 0)
      return skipped === 'implausible' ? skipped : Math.max(0, skipped)
    }
  }
}
