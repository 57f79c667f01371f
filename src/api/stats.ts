/** Why a connection ended. */
export type CloseCause =
  'client' | 'application' | 'shutdown' | 'slow' | 'heartbeat' | 'expired' | 'rate' | 'size' |
  'protocol' | 'callback' | 'network'

/**
 * Why an upgrade was refused. `hook`: by a hook or the `expiresAt` of the application's;
 * `protocol`: no subprotocol that both speak, or no WebSocket handshake at all (RFC 6455 §4.2.1).
 */
export type RefusalCause =
  'origin' | 'capacity' | 'capacityPerIp' | 'hook' | 'protocol' | 'timeout' | 'closing' | 'aborted'

/** What one time socket has done since it was registered, and how it is doing. */
export interface Stats {
  /** How many are connected. */
  clients: number
  /** Upgrades that became connections. */
  accepted: number
  /** Upgrades that did not, by cause; `aborted`: the client left before the answer. */
  refused: Record<RefusalCause, number>
  /** Plain HTTP requests of the time socket's URL. */
  http: {
    /** Requests that passed all checks and hooks, whatever the option `handler` answered. */
    answered: number
    /** Requests that a check or a hook answered. */
    refused: number
  }
  /** Connections that ended, by cause. */
  closed: Record<CloseCause, number>
  ticks: {
    /** Ticks that were sent, to however many. */
    sent: number
    /** Boundaries that passed without one, while somebody was connected. */
    missed: number
    /** Ticks of those sent that clients without `time.v1` did not all get: the format failed. */
    failed: number
  }
  frames: {
    /** Messages handed to the operating system or to ws, ticks included; no control frames. */
    sent: number
    /** Ticks left out for slow clients. */
    skipped: number
  }
  bytes: {
    /** Bytes of these frames, headers included. */
    sent: number
  }
  messages: {
    /** Messages that came from clients, without those for which they were closed. */
    received: number
    /** Those of them that were neither told to the application nor answered. */
    ignored: number
  }
  /**
   * How late ticks were sent, in milliseconds, to two digits, over the last one to two minutes;
   * 0 where there were none.
   */
  lateness: { p50: number, p99: number, max: number }
  /** How often the server's wall clock has stepped. */
  clockSteps: number
  /** What went to other servers and came from them; only where there is a `backplane`. */
  backplane?: BackplaneStats
}

/**
 * What went to other servers and came from them. Each message that another one has published
 * counts here once: as `received`, `lost` or `stale`.
 */
export interface BackplaneStats {
  /** Broadcasts and cancels handed to the backplane. */
  published: number
  /** Those of other servers that were taken. */
  received: number
  /** Those of other servers that never came. */
  lost: number
  /** Those that came once more, or after a later one, and were left out. */
  duplicate: number
  /** Those that came more than 10 s after they were sent, and were left out. */
  stale: number
  /** What came and is no message of this version. */
  invalid: number
  /** Failures that the backplane has told of: messages not published, reading interrupted. */
  errors: number
}
