import type { Timers } from '../util/timers.js'

/** The other servers' time sockets that have been heard of, and how far each has come. */
export interface Peers {
  /** How many are known. */
  readonly count: number
  has (peer: string): boolean
  /**
   * Takes note of a message.
   *
   * @returns how many messages before it are missing; `'duplicate'` if it or a later one has come
   * before; `'implausible'` if no peer can have sent so many: both must be left out.
   */
  noteMessage (peer: string, seq: number): number | 'duplicate' | 'implausible'
  /**
   * Takes note of a sign of life, which names the latest message.
   *
   * @returns how many messages are missing; `'implausible'` as above.
   */
  noteAlive (peer: string, seq: number): number | 'implausible'
}

interface Peer {
  /** Of the latest message. */
  readonly seq: number
  readonly heardMs: number
  /** Since when the peer has named nothing but numbers before `seq`. */
  readonly behindSinceMs: number | undefined
}

/** A peer that has been silent for so long is forgotten: longer than any outage should be. */
const SILENCE_MS = 3_600_000
/** At most so many are known: the longest silent one is forgotten. */
const MAX_COUNT = 1000
/** More than any server sends. A peer that claims more is ignored. */
const MAX_MESSAGES_PER_MS = 1000
/** A peer may have stalled for so long, and then sends at once what it has. */
const MIN_SILENCE_MS = 10_000
/**
 * After so long, a repeated message would be older than ten seconds and discarded. So a peer that
 * is still behind is right, and what had put it ahead was forged.
 */
const BEHIND_MS = 12_000

/**
 * The first number that comes from a peer says where it begins: what the peer sent before that was
 * not meant for this server.
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
   * @param step how far a number must be beyond the latest one to be news.
   * @returns how many numbers have been skipped; negative if it is no news.
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
