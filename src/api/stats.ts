/** Why a connection ended. */
export type CloseCause =
  'client' | 'application' | 'shutdown' | 'slow' | 'heartbeat' | 'expired' | 'rate' | 'size' |
  'protocol' | 'callback' | 'network'

/**
 * Why an upgrade was refused. `hook`: a hook of the application answered or failed. `expired`:
 * the permission had ended (`expiresAt`). `protocol`: no common subprotocol, or not a WebSocket
 * handshake (RFC 6455 §4.2.1). `aborted`: the client left before the answer.
 */
export type RefusalCause =
  'origin' | 'capacity' | 'capacityPerIp' | 'hook' | 'expired' | 'protocol' | 'timeout' |
  'closing' | 'aborted'

/** Counters of one time socket since its registration. */
export interface Stats {
  /** Clients that are connected now. */
  clients: number
  /** Upgrades that became connections. */
  accepted: number
  /** Upgrades that did not become connections, by cause. */
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
    /** Ticks that were sent, to any number of clients. */
    sent: number
    /** Boundaries that passed without a tick while clients were connected. */
    missed: number
    /** Ticks that were not sent to clients without `time.v1`, because the formatter failed. */
    failed: number
  }
  frames: {
    /** Messages handed to the operating system or to ws: ticks included, control frames not. */
    sent: number
    /** Ticks that slow clients skipped. */
    skipped: number
  }
  bytes: {
    /** Bytes of these frames, headers included. */
    sent: number
  }
  messages: {
    /** Messages from clients, except messages that caused a client to be closed. */
    received: number
    /** Received messages that were neither handed to the application nor answered. */
    ignored: number
  }
  /**
   * How late ticks were sent, in milliseconds with two significant digits, over the last one to two
   * minutes; 0 when no tick was sent.
   */
  lateness: { p50: number, p99: number, max: number }
  /** How often the server's wall clock has stepped. */
  clockSteps: number
  /** Messages to and from other servers; only with the option `backplane`. */
  backplane?: BackplaneStats
}

/**
 * Messages to and from other servers. Each message that another server has published counts once:
 * as `received`, `lost` or `stale`.
 */
export interface BackplaneStats {
  /** Broadcasts and cancels handed to the backplane. */
  published: number
  /** Messages of other servers that were delivered here. */
  received: number
  /** Messages of other servers that never arrived. */
  lost: number
  /** Messages that arrived again, or after a later one, and were dropped. */
  duplicate: number
  /** Messages that arrived more than 10 s after they were sent, and were dropped. */
  stale: number
  /** Payloads that are not messages of a known version. */
  invalid: number
  /** Failures that the backplane reported: a message not published, reading interrupted. */
  errors: number
}
