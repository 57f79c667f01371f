import type commonjs = require('../index-cjs.cjs')
import type { Sendable, Tick } from './content.js'
import type { CloseCause, Stats } from './stats.js'

/**
 * What the `context` option returns, for the whole application. Empty by default: augment it in
 * `declare module 'fastify-time-socket'` to type `client.context` everywhere.
 */
export interface TimeSocketContext extends commonjs.TimeSocketContext {}

/**
 * The time sockets registered with a `namespace`, by that name. Empty by default: augment it in
 * `declare module 'fastify-time-socket'`, for example with `{ auction: TimeSocket }`.
 */
export interface TimeSocketNamespaces extends commonjs.TimeSocketNamespaces {}

/** How a connection ended. */
export interface CloseInfo {
  /**
   * The close code (RFC 6455 §7.4): the server's if the server closed the connection, else the
   * client's; 1005 if the client sent none, 1006 if the connection was lost.
   */
  readonly code: number
  /**
   * The close reason, at most 123 bytes of UTF-8: the client's own text if the client closed the
   * connection.
   */
  readonly reason: string
  /** Which side ended the connection, and why. */
  readonly cause: CloseCause
}

/** One connected client. Removed from `clients` before `onClose` is called. */
export interface TimeSocketClient<Context = TimeSocketContext> {
  /** The id of this connection: a random UUID (RFC 9562, version 4), which cannot be guessed. */
  readonly id: string
  /** The client's address, from `request.ip`; empty if there is none, as with `injectWS`. */
  readonly ip: string
  /** The client's TCP port; 0 if there is none, as with `injectWS`. */
  readonly port: number
  /** The subprotocol agreed upon: `time.v1`, or one of `protocols`; empty if none was offered. */
  readonly protocol: string
  /** When the client connected: the server's time, milliseconds since the Unix epoch. */
  readonly connectedAt: number
  /** What the `context` option returned for this client. You may change it at any time. */
  context: Context
  /**
   * Round trip of the latest ping in milliseconds, measured by this process. A round trip during an
   * event loop stall does not count. Undefined until the first ping has been answered; that ping is
   * sent within `heartbeat.interval`.
   */
  readonly rtt: number | undefined
  /**
   * When the client's permission ends: milliseconds since the Unix epoch; undefined for never. Set
   * a Date, milliseconds or undefined to renew the permission. When the permission ends, the client
   * is closed with 4401; at once if that time has already passed.
   *
   * @throws {InvalidArgumentError} if the value is an invalid date, or a date before 1973, such as
   * the `exp` of a JWT, which is in seconds.
   */
  get expiresAt (): number | undefined
  set expiresAt (value: Date | number | undefined)
  /** How many ticks were skipped because the client was too slow. */
  readonly skippedTicks: number
  /**
   * Sends one message, after everything sent before it.
   *
   * @returns true if the message was passed on. False if the connection is closing, or if more than
   * `maxBufferedBytes` are already buffered; the connection is then terminated.
   * @throws {InvalidArgumentError} if `data` is not a string, bytes or a JSON value.
   */
  send<Data> (data: Data & Sendable<Data>): boolean
  /**
   * Starts the closing handshake. Has no effect once it has begun.
   *
   * @param code 1000 to 1014 except 1004 to 1006, or 3000 to 4999. Default 1000.
   * @param reason truncated to 123 bytes of UTF-8, at a character boundary. Default empty.
   * @throws {InvalidArgumentError} if the code may not be sent, or the reason is not a string.
   */
  close (code?: number, reason?: string): void
  /** Ends the connection at once, without a handshake. The client sees 1006. */
  terminate (): void
}

/** How many clients got a tick, and how many did not. */
export interface TickDelivery {
  /** Clients that the tick was sent to. */
  readonly delivered: number
  /** Clients that were skipped because they were too slow. */
  readonly skipped: number
}

/** A value that `where` compares with `===`. */
export type Scalar = string | number | boolean | null

/** Fields of a context that `where` can compare, each with one value or several. */
export type Where<Context> = {
  readonly [Field in keyof Context as
  [Extract<Context[Field], Scalar>] extends [never] ? never : Field
  ]?: Extract<Context[Field], Scalar> | readonly Extract<Context[Field], Scalar>[]
}

/** Which clients get a broadcast. A client must meet all given conditions. */
export interface BroadcastOptions<Context = TimeSocketContext> {
  /**
   * Fields of `client.context`, each with a required value or an array of accepted values, compared
   * with `===`. An undefined value is refused. Default: no condition.
   */
  where?: Where<Context> | undefined
  /** Ids of clients that do not get the message. Default: none. */
  except?: string | readonly string[] | undefined
  /**
   * Returns true if this client gets the message. If the filter throws, `broadcast` throws and
   * nothing is sent. Default: every client gets the message.
   */
  filter?: ((client: TimeSocketClient<Context>) => boolean) | undefined
  /**
   * True sends the message only to clients of this server, even with a `backplane`. A `filter` has
   * the same effect. Default false.
   */
  local?: boolean | undefined
  /**
   * When the message takes effect, by the server's clock: a Date or milliseconds since the Unix
   * epoch, at most 24 days ahead. Clients of `time.v1` get the message at once and fire it at that
   * time. All other clients, and all clients if the message is bytes, are sent the message at that
   * time.
   *
   * A client that joins before that time gets the message too, if `where`, `except` and `filter`
   * choose it. Connected clients are checked at the call. A client that joins later is checked when
   * its `onConnect` returns, or earlier if the message takes effect during `onConnect`. If the
   * filter throws for a joining client, the error is logged, and the client does not get the
   * message.
   *
   * If the time has already passed, the message is sent at once. An invalid date, one before 1973
   * (usually seconds) or one more than 24 days ahead throws an InvalidArgumentError. Default: at
   * once.
   */
  at?: Date | number | undefined
  /**
   * Names the message while it is pending, so that `cancel` can withdraw it. The message replaces
   * the pending message with the same key, for all clients that were to get the latter. Must not be
   * empty. Without `at`, the message is sent at once, and still replaces the pending one. Default:
   * none.
   */
  key?: string | undefined
}

/** One registration of the plugin: `app.timeSocket`, or `app.timeSocket[namespace]`. */
export interface TimeSocket<Context = TimeSocketContext> {
  /** The connected clients of this route on this server, by id. */
  readonly clients: ReadonlyMap<string, TimeSocketClient<Context>>
  /** The full path of the route, prefixes included. */
  readonly url: string
  /** The namespace of this registration, if any. */
  readonly namespace: string | undefined
  /** The last tick that was sent; undefined before the first. */
  readonly lastTick: Tick | undefined
  /** The server's time in milliseconds since the Unix epoch: the time that ticks carry. */
  now (): number
  /** Counters since registration, as a new object for each call. */
  stats (): Stats
  /**
   * Sends one message to all clients, or to those that the options choose, now or at a future time.
   * A client that joins later does not get the message, unless the message is still pending. Each
   * client gets the message after everything sent before it.
   *
   * @param data a string is sent as text, bytes as a binary message, any other JSON value as its
   * JSON text.
   * @returns the number of connected clients that get the message; 0 after `close()`, once
   * `shutdown.spread` has passed.
   * @throws {InvalidArgumentError} if the data or an option is invalid. Nothing was sent then.
   * @throws {TooManyScheduledError} if 1000 scheduled broadcasts are pending. Nothing was sent
   * then.
   */
  broadcast<Data> (data: Data & Sendable<Data>, options?: BroadcastOptions<Context>): number
  /**
   * Withdraws the scheduled broadcast with this key, on other servers, too. Clients of `time.v1`
   * that already have the message get a cancel message.
   *
   * @returns true if a broadcast with this key was pending on this server.
   * @throws {InvalidArgumentError} if the key is not a string, or is empty.
   */
  cancel (key: string): boolean
  /**
   * Closes every client with 1001, spread over `shutdown.spread` milliseconds. Terminates clients
   * that have not disconnected `shutdown.grace` milliseconds later, refuses new clients with 503,
   * and discards scheduled broadcasts without notifying clients. `app.close()` does the same.
   *
   * @returns a promise, the same for every call. It resolves when the last client has disconnected.
   */
  close (): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The time socket, and those registered with a namespace. */
    timeSocket: TimeSocket & TimeSocketNamespaces
  }
}
