import type commonjs = require('../index-cjs.cjs')
import type { Sendable, Tick } from './content.js'
import type { CloseCause, Stats } from './stats.js'

/**
 * What the `context` option returns, for the whole application. Empty: augment it
 * in `declare module 'fastify-time-socket'` to have it typed everywhere.
 */
export interface TimeSocketContext extends commonjs.TimeSocketContext {}

/**
 * The time sockets registered with a `namespace`, by that name. Empty: augment it
 * in `declare module 'fastify-time-socket'`, as `{ auction: TimeSocket }`.
 */
export interface TimeSocketNamespaces extends commonjs.TimeSocketNamespaces {}

/** How a connection ended. */
export interface CloseInfo {
  /**
   * The close code (RFC 6455 §7.4): ours if we closed, else the client's; 1005 if it sent none,
   * 1006 if it vanished.
   */
  readonly code: number
  /** At most 123 bytes of UTF-8; the client's own text if it closed. */
  readonly reason: string
  /** Which side ended it, and why. */
  readonly cause: CloseCause
}

/** One connected client. It leaves `clients` before `onClose` is told. */
export interface TimeSocketClient<Context = TimeSocketContext> {
  /** Names this connection, unguessable: a random UUID (RFC 9562, version 4). */
  readonly id: string
  /**
   * The client's address as `request.ip` gave it; empty where there is none, as with
   * `injectWS`.
   */
  readonly ip: string
  /** The client's TCP port; 0 where there is none, as with `injectWS`. */
  readonly port: number
  /** The subprotocol agreed upon: `time.v1`, or one of `protocols`; empty if none was offered. */
  readonly protocol: string
  /** When the connection was made: the server's time, milliseconds since the Unix epoch. */
  readonly connectedAt: number
  /** What the `context` option returned for it. May be changed at any time. */
  context: Context
  /**
   * Milliseconds that the latest ping took there and back, as this process saw it, unless that was
   * held up meanwhile; undefined until the first, which comes within `heartbeat.interval`.
   */
  readonly rtt: number | undefined
  /**
   * When the client's permission ends: milliseconds since the Unix epoch; undefined for never. Set
   * it to a Date, milliseconds or undefined to renew the permission. The client is closed with 4401
   * then, at once if that has passed.
   *
   * @throws {InvalidArgumentError} when set to an invalid date, or one before 1973, such as the
   * `exp` of a JWT, which is in seconds.
   */
  get expiresAt (): number | undefined
  set expiresAt (value: Date | number | undefined)
  /** How many ticks the client was too slow for. */
  readonly skippedTicks: number
  /**
   * Sends one message, after all that was sent before.
   *
   * @returns whether it was handed on: false once the connection is closing, or when more
   * than `maxBufferedBytes` wait already, which ends it.
   * @throws {InvalidArgumentError} when `data` is no string, bytes or JSON value.
   */
  send<Data> (data: Data & Sendable<Data>): boolean
  /**
   * Starts the closing handshake; without effect once it has begun.
   *
   * @param code 1000, the default, to 1014 without 1004 to 1006, or 3000 to 4999.
   * @param reason cut to 123 bytes of UTF-8, at a character's boundary. Default empty.
   * @throws {InvalidArgumentError} when the code may not be sent, or the reason is no string.
   */
  close (code?: number, reason?: string): void
  /** Ends the connection at once, without a handshake. The client sees 1006. */
  terminate (): void
}

/** How many clients a tick went to. */
export interface TickDelivery {
  readonly delivered: number
  /** How many were too slow to take it, and go without. */
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

/** Who gets a broadcast: all conditions given must hold. */
export interface BroadcastOptions<Context = TimeSocketContext> {
  /**
   * Fields of `client.context` and the value, or values of which one, each must have,
   * compared with `===`. An undefined value is refused. Default: no condition.
   */
  where?: Where<Context> | undefined
  /** Ids of clients that do not get it. Default: none. */
  except?: string | readonly string[] | undefined
  /**
   * Whether this client gets it. One that throws makes `broadcast` throw before anything is
   * sent. Default: all do.
   */
  filter?: ((client: TimeSocketClient<Context>) => boolean) | undefined
  /**
   * Keeps the message on this server, as a `filter` does, where there is a `backplane`. Default
   * false.
   */
  local?: boolean | undefined
  /**
   * When it takes effect, by the server's clock: a Date or milliseconds since the Unix epoch, at
   * most 24 days ahead. Clients of `time.v1` get it at once and fire it then; all others, and all
   * clients where it is bytes, are sent it then. Clients that join before then get it as well, if
   * `where`, `except` and `filter` choose them: asked once for each client, at the call or when it
   * joins, after `onConnect` has returned. A filter that throws then is logged, and the client
   * goes without. A time that has come already: sent at once. Default: at once.
   */
  at?: Date | number | undefined
  /**
   * Names it while it is pending: it replaces the pending one with this key, for all who were to
   * get that one, and `cancel` withdraws it. Not empty. Without `at` it goes out at once, and
   * replaces all the same. Default: none.
   */
  key?: string | undefined
}

/** One registration of the plugin: `app.timeSocket`, or `app.timeSocket[namespace]`. */
export interface TimeSocket<Context = TimeSocketContext> {
  /** The connected clients of this route on this server, by id. */
  readonly clients: ReadonlyMap<string, TimeSocketClient<Context>>
  /** The full path of the route, prefixes included. */
  readonly url: string
  /** The name it was registered under, if any. */
  readonly namespace: string | undefined
  /** The last tick that was sent; undefined before the first. */
  readonly lastTick: Tick | undefined
  /** The server's time in milliseconds since the Unix epoch: what ticks tell. */
  now (): number
  /** Counts since registration: a new object each time. */
  stats (): Stats
  /**
   * Sends one message to all clients, or to those that the options choose, now or at a time that
   * is to come. Who joins later does not get it, unless it is still to come. Each client gets it
   * after all that was sent before.
   *
   * @param data a string is sent as text, bytes as a binary message, any other JSON value as
   * its JSON text.
   * @returns to how many of those connected it goes; 0 after `close()`, once `shutdown.spread` is
   * over.
   * @throws {InvalidArgumentError} when the data or an option cannot be used, and
   * {TooManyScheduledError} when 1,000 are pending; then nothing was sent.
   */
  broadcast<Data> (data: Data & Sendable<Data>, options?: BroadcastOptions<Context>): number
  /**
   * Withdraws the scheduled broadcast with this key, on other servers as well: clients that have
   * it already are told.
   *
   * @returns whether one was pending on this server.
   * @throws {InvalidArgumentError} when the key is no string, or empty.
   */
  cancel (key: string): boolean
  /**
   * Closes every client with 1001, spread over `shutdown.spread`, terminates those that have
   * not gone `shutdown.grace` later, refuses new ones with 503, and withdraws what is scheduled.
   * `app.close()` does the same.
   *
   * @returns when the last client has gone; the same promise whenever called.
   */
  close (): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The time socket, and those registered with a namespace. */
    timeSocket: TimeSocket & TimeSocketNamespaces
  }
}
