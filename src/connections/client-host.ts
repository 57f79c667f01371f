import type { Client } from './client.js'
import type { Counters } from '../observability/observer.js'
import type { CloseInfo } from '../api/time-socket.js'

/** What all clients of a registration share, and tell what becomes of them. */
export interface ClientHost<Context> {
  /** Counts what is sent. */
  readonly counters: Pick<Counters, 'frames' | 'bytes'>
  /** The largest number of bytes that may wait for a client who is sent more. */
  readonly maxBufferedBytes: number
  /** The largest inbound message, in bytes. */
  readonly maxMessageBytes: number
  /** Something is about to be sent to this client alone. */
  sending (client: Client<Context>): void
  /** Whether this process was held up since it pinged the client, so many milliseconds ago. */
  wasHeldUp (client: Client<Context>, sinceMs: number): boolean
  /** A message came while the connection was open, and is not too large. */
  received (client: Client<Context>, data: Buffer, isBinary: boolean): void
  /** A ping came while the connection was open, or a pong that nobody asked for. */
  receivedControl (client: Client<Context>): void
  /** The connection has ended. Called once. */
  closed (client: Client<Context>, info: CloseInfo): void
}

/** What is known of a client when it connects. */
export interface ClientInfo<Context> {
  ip: string
  port: number
  connectedAt: number
  context: Context
  expiresMs: number | undefined
}
