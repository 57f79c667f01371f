import type { Environment } from './environment.js'

/**
 * Where the time socket is, or a function that says so for each connection: relative to the page's
 * own URL, `http` and `https` taken for `ws` and `wss`.
 */
export type ServerClockUrl = string | URL | (() => string | URL | Promise<string | URL>)

export interface ServerClockOptions {
  /** Subprotocols that are offered besides `time.v1`. Default: none. */
  readonly protocols?: readonly string[] | undefined
  /**
   * By how much `now()` may run fast or slow while it is corrected, as a part of the speed.
   * Default 0.05.
   */
  readonly slew?: number | undefined
  /** Milliseconds: a larger correction is made at once. Default 250. */
  readonly stepThreshold?: number | undefined
  /** How often the server is asked for its time. */
  readonly sync?: SyncOptions | undefined
  /** What stands for the surroundings, in tests and where there is no `WebSocket`. */
  readonly environment?: Partial<Environment> | undefined
}

export interface SyncOptions {
  /** How often in one round. Default 3. */
  readonly probes?: number | undefined
  /** Milliseconds between two rounds, once the first, denser ones are over. Default 60000. */
  readonly every?: number | undefined
}
