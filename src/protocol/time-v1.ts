/**
 * The messages of `time.v1`, as PROTOCOL.md describes them. Server and client share this file. It
 * imports nothing, so that the client contains no code of the server.
 *
 * Each message is one WebSocket text frame of JSON. A receiver ignores types and fields that it
 * does not know. Times are milliseconds since the Unix epoch with at most two decimals.
 */

/** The name of the subprotocol in `Sec-WebSocket-Protocol`. */
export const TIME_PROTOCOL = 'time.v1'

/** The client's permission has expired: sign in again. */
export const PERMISSION_EXPIRED = 4401
/** The application tells the client not to reconnect. */
export const DO_NOT_RECONNECT = 4403

/** Server to client: the first message. */
export interface HelloMessage {
  readonly type: 'hello'
  /**
   * The random id of the server process. Compare `clockSteps` and `seq` only within one process.
   */
  readonly server: string
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** Increases by one whenever the server's wall clock steps. */
  readonly clockSteps: number
}

/** Server to client, once every `interval`. */
export interface TickMessage {
  readonly type: 'tick'
  /** Increases by one with each tick. */
  readonly seq: number
  /** The boundary that the tick stands for. */
  readonly at: number
  /** When the tick was sent. */
  readonly sent: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  readonly clockSteps: number
}

/** Client to server: asks for the time. */
export interface SyncRequest {
  readonly type: 'sync'
  /** The reply repeats this id: an integer from 0 to 2³¹ − 1. */
  readonly id: number
}

/** Server to client: answers a `SyncRequest`. */
export interface SyncReply {
  readonly type: 'sync'
  readonly id: number
  /** When the request arrived. */
  readonly at: number
  /** Milliseconds from the arrival of the request to the sending of this reply. */
  readonly hold: number
  readonly clockSteps: number
}

/** In both directions: a message of the application. Only the server sets `at` and `key`. */
export interface DataMessage {
  readonly type: 'message'
  /** Any JSON value. */
  readonly data: unknown
  /** When the message takes effect; if absent, on arrival. */
  readonly at?: number
  /** While the message is pending, a later message with the same key replaces it. */
  readonly key?: string
}

/** Server to client: withdraws the pending message with this key. */
export interface CancelMessage {
  readonly type: 'cancel'
  readonly key: string
}

export type ServerMessage = HelloMessage | TickMessage | SyncReply | DataMessage | CancelMessage
export type ClientMessage = SyncRequest | DataMessage
