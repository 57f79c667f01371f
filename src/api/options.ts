import type { FastifyRequest, LogLevel, RegisterOptions, RouteHandlerMethod } from 'fastify'
import type { Backplane } from './backplane.js'
import type { Tick } from './content.js'
import type {
  Callback, Clock, ExpiresAt, Format, FormatName, OriginRule, TimeSocketHook, TimeSocketRouteOptions
} from './option-values.js'
import type { CloseInfo, TickDelivery, TimeSocketClient, TimeSocketContext } from './time-socket.js'
import type { WebsocketOptions } from './websocket-options.js'

/** Options of one time socket. Each is checked at registration; `undefined` counts as absent. */
export interface TimeSocketOptions<Context = TimeSocketContext> {
  /** Path of the route, relative to the prefix of the surrounding scope. Default `/time`. */
  url?: string | undefined
  /** Name of a further registration, found at `app.timeSocket[namespace]`. Default none. */
  namespace?: string | undefined
  /**
   * Milliseconds between two ticks: an integer, 10 to 86 400 000. Ticks fall on whole multiples of
   * it since the Unix epoch. Default 5000.
   */
  interval?: number | undefined
  /** Whether a new client gets the time at once, not only at the next tick. Default true. */
  immediate?: boolean | undefined
  /**
   * What a tick looks like: `iso` (RFC 3339), `date-string` (`Date#toString`), `timestamp`
   * (milliseconds), `json`, or a function. A function must be pure: it is called once per slice of
   * a fan-out, never once per client. Clients of `time.v1` get the tick message instead. Default
   * `iso`.
   */
  format?: FormatName | Format | undefined
  /**
   * Fastify hook or hooks that run before the upgrade and before the plain answer: the place for
   * authentication. Default none.
   */
  preValidation?: TimeSocketHook | TimeSocketHook[] | undefined
  /**
   * Fastify handler for plain `GET` and `HEAD` requests. Default: answers the time as JSON.
   */
  handler?: RouteHandlerMethod | undefined
  /**
   * Further Fastify options of the route: `schema`, `config`, `constraints`, `onRequest`, …
   * Default `{}`.
   */
  route?: TimeSocketRouteOptions | undefined
  /**
   * Whether to serve the browser client and the elements at `<url>/client.js` and
   * `<url>/elements.js`. They run none of the route's hooks. Default true, but false for a URL
   * that ends with a slash, such as `/`, and for one with optional or wildcard parts, where true
   * is refused.
   */
  serveClient?: boolean | undefined
  /**
   * Which origins (RFC 6454) may connect from a browser, and send plain requests: `same-origin`
   * (that of the URL, by host and port), an array of origins as `new URL(…).origin` writes
   * them, or `null`; a function, given what the browser sent; or `*`, all. Requests without
   * `Origin` pass: they come from no browser. Others are refused with 403. A function that throws,
   * or returns a promise, refuses with 500. Default `same-origin`.
   */
  origin?: OriginRule | undefined
  /**
   * Subprotocols (RFC 6455 §1.9) that the application speaks besides `time.v1`, which is built
   * in: different tokens. Of those that a client offers the first that is spoken is agreed upon,
   * as `client.protocol`; if none is, the upgrade is refused with 400. Default `[]`.
   */
  protocols?: readonly string[] | undefined
  /**
   * Returns what to remember about a client as `client.context`; the request is not kept. Default
   * `() => ({})`.
   */
  context?: (
    Callback<[request: FastifyRequest], Context | Promise<Context>> & ContextMark
  ) | undefined
  /**
   * Returns when a client's permission ends, as a Date or in milliseconds since the Unix epoch,
   * sync or async; undefined for never. The client is then closed with 4401. A request whose
   * permission has already ended is refused with 401. An invalid date, or one before 1973 (usually
   * a JWT `exp` in seconds), fails the request with 500. The remaining time is measured on the
   * monotonic clock. Default none.
   */
  expiresAt?: Callback<[request: FastifyRequest], ExpiresAt | Promise<ExpiresAt>> | undefined
  /**
   * Called when a client has connected. A throw or rejection closes that client with 1011. Default
   * none.
   */
  onConnect?: (Callback<[client: TimeSocketClient<Context>], unknown> & ContextMark) | undefined
  /**
   * Called with each message of a client: text as a string, binary as a Buffer. A throw or
   * rejection closes that client with 1011. Default none.
   */
  onMessage?: (
    Callback<[client: TimeSocketClient<Context>, data: string | Buffer], unknown> & ContextMark
  ) | undefined
  /** Called once when a client has gone, after its `onConnect` has settled. Default none. */
  onClose?: (
    Callback<[client: TimeSocketClient<Context>, info: CloseInfo], unknown> & ContextMark
  ) | undefined
  /** Called when a tick has been sent to all clients. Default none. */
  onTick?: ((tick: Tick, delivery: TickDelivery) => unknown) | undefined
  /**
   * The largest number of clients, pending upgrades included: an integer from 1 up, or Infinity. A
   * further upgrade is refused with 503. Default Infinity.
   */
  maxClients?: number | undefined
  /**
   * The largest number of clients with one `request.ip`, where all IPv6 addresses of one /64 count
   * as one, and all clients without an address, too: an integer from 1 up, or Infinity. A further
   * upgrade is refused with 429. Default Infinity.
   */
  maxClientsPerIp?: number | undefined
  /**
   * Protocol pings (RFC 6455 §5.5.2), which find connections that died without a FIN; `false`
   * disables them. A client that sends no byte after a ping is terminated at most 1 s after
   * `interval` + `timeout`. A stall of this process never terminates a healthy client.
   */
  heartbeat?: false | {
    /** Milliseconds between two pings to a client: an integer, 10 to 86 400 000. Default 25 000. */
    interval?: number | undefined
    /** Milliseconds a client has to send a byte: an integer, 10 to 86 400 000. Default 10 000. */
    timeout?: number | undefined
  } | undefined
  /**
   * Size in bytes of the largest message a client may send: an integer, 1 to 2 147 483 647. A
   * larger message closes the client with 1009. Default 4096.
   */
  maxMessageBytes?: number | undefined
  /**
   * How often a client may send: a token bucket for each client; `false` disables the limit. A
   * client above it is closed with 1008. `sync` requests have a bucket of their own.
   */
  messageRate?: false | {
    /** Messages that may come at once: an integer, 1 to 1 000 000. Default 20. */
    burst?: number | undefined
    /** Messages per second in the long run: above 0, up to 1 000 000. Default 10. */
    perSecond?: number | undefined
  } | undefined
  /**
   * Bytes that may have waited for a client since an earlier turn of the event loop when the next
   * message is sent to it: an integer, 0 to 2 147 483 647. If more are waiting, the client is
   * terminated. A tick is skipped instead, and counted. Default 65 536.
   */
  maxBufferedBytes?: number | undefined
  /**
   * Milliseconds that an upgrade or a plain request of this URL may take, authentication included:
   * an integer, 1 to 2 147 483 647. It is then refused with 503. The limit holds for every upgrade
   * on the server; of several registrations, the longest limit counts. Default 10 000.
   */
  handshakeTimeout?: number | undefined
  /** How clients are closed at shutdown. */
  shutdown?: {
    /**
     * Milliseconds that a client has to answer its close frame: an integer, at least 1000 below
     * Fastify's `pluginTimeout`. Default 1000.
     */
    grace?: number | undefined
    /**
     * Milliseconds over which the close frames are spread, so that clients do not all come
     * back at once: an integer; with `grace`, at least 1000 below `pluginTimeout`. Default 0.
     */
    spread?: number | undefined
  } | undefined
  /**
   * Carries broadcasts to the clients of other servers: `redisStreams(…)` of
   * `fastify-time-socket/redis`, for example. It is closed with the last time socket that uses it.
   * Default none.
   */
  backplane?: Backplane | undefined
  /**
   * The source of the server's time, used as it is. Default: the system's clock, refined to
   * fractions of a millisecond.
   */
  clock?: Clock | undefined
  /**
   * Options for `@fastify/websocket`; refused when it has been registered already. Default `{}`.
   */
  websocket?: WebsocketOptions | undefined
  /** Log level of the route and of this plugin's lines. Default: the application's. */
  logLevel?: LogLevel
  /** Log serializers of the route and of this plugin's lines. Default none. */
  logSerializers?: Exclude<RegisterOptions['logSerializers'], undefined>
}

/**
 * Options with a context of any type, for `register`. Functions that are written in place must fit
 * `TimeSocketContext`. Those of a `TimeSocketOptions<Other>` are recognized by `ContextMark`.
 */
export type AnyTimeSocketOptions = Omit<TimeSocketOptions, ContextOption> & {
  [Name in ContextOption]?: TimeSocketOptions[Name] | ContextMark
}

type ContextOption = 'context' | 'onConnect' | 'onMessage' | 'onClose'

declare const kContext: unique symbol

/** Exists in types only. A function written in place has nothing in common with it. */
interface ContextMark {
  readonly [kContext]?: true
}

type WithoutDefault =
  'namespace' | 'preValidation' | 'handler' | 'expiresAt' | 'backplane' | 'websocket' |
  'logLevel' | 'logSerializers'
type Reshaped = 'format' | 'heartbeat' | 'messageRate' | 'shutdown'

/** All options, checked, with their defaults: no other code fills in a default. */
export type ResolvedOptions<Context> = Pick<TimeSocketOptions<Context>, WithoutDefault> & {
  [Name in Exclude<keyof TimeSocketOptions, WithoutDefault | Reshaped>]-?:
  Exclude<TimeSocketOptions<Context>[Name], undefined>
} & {
  format: Format
  heartbeat: false | { interval: number, timeout: number }
  messageRate: false | { burst: number, perSecond: number }
  shutdown: ShutdownTimes
}

/** How clients are closed at shutdown, complete. */
export interface ShutdownTimes {
  grace: number
  spread: number
}
