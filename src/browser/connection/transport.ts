import type { TickMessage } from '../../protocol/time-v1.js'
import type { Transport as TransportName } from '../clock-options.js'
import type { Exchange } from '../time/estimator.js'
import type { Source } from '../time/estimates.js'
import type { Outcome, Received } from './received.js'

/** One way to a server: a WebSocket, or a series of requests. There is one file per transport. */
export interface Transport {
  readonly name: TransportName
  /** The subprotocol; empty for HTTP. */
  readonly protocol: string
  /** @returns whether it was handed on. */
  send (data: string | ArrayBuffer): boolean
  /** Asks for the time at once, within the budget. */
  resync (): void
  /** To be called once a second. */
  check (): void
  /** Ends it without any further event. */
  close (): void
}

/** What comes over a transport. */
export interface TransportData {
  /** Called before anything else is made of what has come. */
  onActivity (): void
  /** A server has greeted the clock; whatever is pending there is sent again. */
  onHello (source: Source): void
  /** @returns whether it contradicts what was known, so that more probes are needed. */
  onTick (source: Source, tick: TickMessage, localMs: number): boolean
  /** @returns the same. */
  onExchange (source: Source, exchange: Exchange, name: TransportName): boolean
  /** @param text as it came. */
  onMessage (message: Received, text: string): void
  onCancel (key: unknown): void
  onBytes (data: unknown): void
}

export interface TransportEvents extends TransportData {
  /** The server has answered: the transport works. */
  onOpen (): void
  /** Called once, unless it was closed. */
  onEnd (ending: Ending): void
}

/** How a transport has ended, or has failed to open. */
export interface Ending {
  /** The WebSocket close code; 1006 without one. */
  readonly code: number
  readonly reason: string
  readonly wasOpen: boolean
  /** The watchdog has ended it. */
  readonly isSilent?: boolean
  /** What has become of the latest request, if it is known already. */
  readonly outcome?: Outcome
}

export const NORMAL = 1000
export const ABNORMAL = 1006
