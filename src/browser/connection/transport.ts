import type { TickMessage } from '../../protocol/time-v1.js'
import type { Transport as TransportName } from '../clock-options.js'
import type { Exchange } from '../time/estimator.js'
import type { Source } from '../time/estimates.js'
import type { Outcome, Received } from './received.js'

/**
 * One way to reach a server: a WebSocket, or a series of requests. Each transport has its own file.
 */
export interface Transport {
  readonly name: TransportName
  /** The subprotocol; empty for HTTP. */
  readonly protocol: string
  /** @returns true if the data was sent. */
  send (data: string | ArrayBuffer): boolean
  /** Probes the server at once, within the budget. */
  resync (): void
  /** Must be called once a second. */
  check (): void
  /** Ends the transport. No event follows. */
  close (): void
}

/** The callbacks for data that arrives over a transport. */
export interface TransportData {
  /** Called first for everything that arrives. */
  onActivity (): void
  /** Called when a server has said hello: the server then sends its pending messages again. */
  onHello (source: Source): void
  /** @returns true if the tick contradicts the estimate, so that more probes are needed. */
  onTick (source: Source, tick: TickMessage, localMs: number): boolean
  /** @returns true if the exchange contradicts the estimate, so that more probes are needed. */
  onExchange (source: Source, exchange: Exchange, name: TransportName): boolean
  /** @param text the message as received. */
  onMessage (message: Received, text: string): void
  onCancel (key: unknown): void
  onBytes (data: unknown): void
}

export interface TransportEvents extends TransportData {
  /** Called when the server has answered, so that the transport works. */
  onOpen (): void
  /** Called once when the transport has ended, unless by `close`. */
  onEnd (ending: Ending): void
}

/** How a transport has ended, or has failed to open. */
export interface Ending {
  /** The WebSocket close code; 1006 without one. */
  readonly code: number
  readonly reason: string
  readonly wasOpen: boolean
  /** True if the watchdog has ended the transport. */
  readonly wasSilent?: boolean
  /** The outcome of the latest request, if it is already known. */
  readonly outcome?: Outcome
}

export const NORMAL = 1000
export const ABNORMAL = 1006

/**
 * Encodes a message for the server: bytes unchanged, any other value as JSON text.
 *
 * @throws TypeError if the value has no JSON text.
 */
export function encodeMessage (data: unknown): string | ArrayBuffer {
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return data as ArrayBuffer
  const json: string | undefined = JSON.stringify(data)
  if (!json) throw new TypeError('data has no JSON text')
  return `{"type":"message","data":${json}}`
}
