/**
 * The messages of `time.v1`, as PROTOCOL.md describes them: what server and client share.
 * Imports nothing, so that the client can import it.
 *
 * Each message is one WebSocket text frame of JSON. Whoever receives one ignores types and fields
 * that it does not know. Times are milliseconds since the Unix epoch with at most two decimals.
 */

/** The subprotocol's name, as it stands in `Sec-WebSocket-Protocol`. */
export const TIME_PROTOCOL = 'time.v1'

/** The client's permission has expired: sign in again. */
export const PERMISSION_EXPIRED = 4401
/** The application tells the client not to come back. */
export const DO_NOT_RETURN = 4403

/** Server to client, first of all. */
export interface HelloMessage {
  readonly type: 'hello'
  /** Names the server process, at random. `clockSteps` and `seq` compare within one only. */
  readonly server: string
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** Goes up by one whenever the server's wall clock steps. */
  readonly clockSteps: number
}

/** Server to client, once every `interval`. */
export interface TickMessage {
  readonly type: 'tick'
  /** Goes up by one with each tick. */
  readonly seq: number
  /** The boundary that it stands for. */
  readonly at: number
  /** When it was sent. */
  readonly sent: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  readonly clockSteps: number
}

/** Client to server: asks for the time. */
export interface SyncRequest {
  readonly type: 'sync'
  /** Comes back in the reply: an integer from 0 to 2³¹ − 1. */
  readonly id: number
}

/** Server to client: answers a `SyncRequest`. */
export interface SyncReply {
  readonly type: 'sync'
  readonly id: number
  /** When the request arrived. */
  readonly at: number
  /** Milliseconds from then until this reply was sent. */
  readonly hold: number
  readonly clockSteps: number
}

/** Either way: a message of the application's. Only the server schedules. */
export interface DataMessage {
  readonly type: 'message'
  /** Any JSON value. */
  readonly data: unknown
  /** When it takes effect; absent: on arrival. */
  readonly at?: number
  /** A later message with the same key replaces it while it is pending. */
  readonly key?: string
}

/** Server to client: withdraws the pending message with this key. */
export interface CancelMessage {
  readonly type: 'cancel'
  readonly key: string
}

export type ServerMessage = HelloMessage | TickMessage | SyncReply | DataMessage | CancelMessage
export type ClientMessage = SyncRequest | DataMessage
