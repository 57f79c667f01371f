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
  /**
   * Name of an additional registration, available as `app.timeSocket[namespace]`: letters, digits
   * and `_`, not starting with a digit, and not a member of `app.timeSocket`. Default none.
   */
  namespace?: string | undefined
  /**
   * Milliseconds between two ticks: an integer, 10 to 86 400 000. Ticks fall on whole multiples of
   * the interval since the Unix epoch. Default 5000.
   */
  interval?: number | undefined
  /** Whether a new client gets the time at once, not only at the next tick. Default true. */
  immediate?: boolean | undefined
  /**
   * What a tick looks like: `iso` (RFC 3339), `date-string` (`Date#toString`), `timestamp`
   * (milliseconds), `json`, or a function. A function must be pure: it is called once per slice of
   * a fan-out, not once per client; with `immediate`, also for each new client. Clients of
   * `time.v1` get the tick message instead. If a function throws, or returns anything but a
   * non-empty string or bytes, the tick is not sent to the other clients. Default `iso`.
   */
  format?: FormatName | Format | undefined
  /**
   * Fastify hook or hooks that run before the upgrade and before the plain answer: the place for
   * authentication. Default none.
   */
  preValidation?: TimeSocketHook | TimeSocketHook[] | undefined
  /**
   * Fastify handler for plain `GET` and `HEAD` requests. Requests that accept
   * `application/vnd.time-socket+json` still get the time. Default: answers the time as JSON.
   */
  handler?: RouteHandlerMethod | undefined
  /**
   * Further Fastify options of the route: `schema`, `config`, `constraints`, `onRequest`, …
   * Default `{}`.
   */
  route?: TimeSocketRouteOptions | undefined
  /**
   * Whether to serve the browser client and the elements at `<url>/client.js` and
   * `<url>/elements.js`. The route's hooks do not run for these files. Default true, but false for
   * a URL that ends with a slash, such as `/`, and for a URL that ends with an optional or wildcard
   * part. For the latter, true is refused.
   */
  serveClient?: boolean | undefined
  /**
   * Which origins (RFC 6454) may connect from a browser, and send plain requests: `same-origin`
   * (the request's own host and port); an array of origins as `new URL(…).origin` writes them,
   * which may include `'null'`; a function that gets the origin as the browser sent it; or `*` for
   * all. A request without `Origin` passes: it comes from a program that is not a browser, or from
   * a page of the same origin. All other requests are refused with 403. A function that throws, or
   * returns a promise, refuses with 500. Default `same-origin`.
   */
  origin?: OriginRule | undefined
  /**
   * Subprotocols (RFC 6455 §1.9) that the application supports besides the built-in `time.v1`:
   * distinct tokens. The server chooses the first one in the client's list that it supports, which
   * becomes `client.protocol`. If none is supported, the upgrade is refused with 400. Default `[]`.
   */
  protocols?: readonly string[] | undefined
  /**
   * Returns the client's context, or a promise of it, available as `client.context`. Called for
   * upgrades only, after all hooks. The request itself is not kept. A throw or rejection refuses
   * the upgrade with 500. Default `() => ({})`.
   */
  context?: (
    Callback<[request: FastifyRequest], Context | Promise<Context>> & ContextMark
  ) | undefined
  /**
   * Returns when a client's permission ends: a Date, milliseconds since the Unix epoch, or
   * undefined for never; may be async. When the permission ends, the client is closed with 4401. A
   * request whose permission has already ended is refused with 401. An invalid date, or one before
   * 1973 (usually a JWT `exp` in seconds), fails the request with 500. The remaining time is
   * measured on the monotonic clock. Default none.
   */
  expiresAt?: Callback<[request: FastifyRequest], ExpiresAt | Promise<ExpiresAt>> | undefined
  /**
   * Called when a client has connected. A throw or rejection closes that client with 1011. Default
   * none.
   */
  onConnect?: (Callback<[client: TimeSocketClient<Context>], unknown> & ContextMark) | undefined
  /**
   * Called with each message from a client: text as a string, binary as a Buffer. A throw or
   * rejection closes that client with 1011. While an asynchronous `onConnect` is pending, up to 16
   * messages wait; one more closes the client with 1008. Default none.
   */
  onMessage?: (
    Callback<[client: TimeSocketClient<Context>, data: string | Buffer], unknown> & ContextMark
  ) | undefined
  /**
   * Called once when a client has disconnected, after its `onConnect` has settled. A throw or
   * rejection is logged. Default none.
   */
  onClose?: (
    Callback<[client: TimeSocketClient<Context>, info: CloseInfo], unknown> & ContextMark
  ) | undefined
  /**
   * Called when a tick has been sent to all clients. A throw or rejection is logged. Default none.
   */
  onTick?: ((tick: Tick, delivery: TickDelivery) => unknown) | undefined
  /**
   * The largest number of clients, pending upgrades included: an integer from 1 up, or Infinity. A
   * further upgrade is refused with 503. Default Infinity.
   */
  maxClients?: number | undefined
  /**
   * The largest number of clients with the same `request.ip`. All IPv6 addresses of one /64 count
   * as one address, and so do all clients without an address. An integer from 1 up, or Infinity. A
   * further upgrade is refused with 429. Default Infinity.
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
    /**
     * Milliseconds within which a client must send a byte after a ping: an integer, 10 to
     * 86 400 000. Default 10 000.
     */
    timeout?: number | undefined
  } | undefined
  /**
   * Size in bytes of the largest message a client may send: an integer, 1 to 2 147 483 647. A
   * larger message closes the client with 1009. Default 4096.
   */
  maxMessageBytes?: number | undefined
  /**
   * How often a client may send: a token bucket for each client; `false` disables the limit. A
   * client that exceeds the limit is closed with 1008. `sync` requests have a bucket of their own.
   */
  messageRate?: false | {
    /** Messages that a client may send at once: an integer, 1 to 1 000 000. Default 20. */
    burst?: number | undefined
    /** Messages per second in the long run: above 0, up to 1 000 000. Default 10. */
    perSecond?: number | undefined
  } | undefined
  /**
   * The most bytes that may still be buffered for a client, from an earlier turn of the event loop,
   * when the next message is sent to it: an integer, 0 to 2 147 483 647. With more, the client is
   * terminated. A tick is skipped, and counted, if any such bytes are buffered. Default 65 536.
   */
  maxBufferedBytes?: number | undefined
  /**
   * Milliseconds that an upgrade or a plain request of this URL may take, authentication included:
   * an integer, 1 to 2 147 483 647. After that, the upgrade or the request is refused with 503. The
   * limit applies to every upgrade on the server; with several registrations, the longest limit
   * applies. Default 10 000.
   */
  handshakeTimeout?: number | undefined
  /** How clients are closed at shutdown. */
  shutdown?: {
    /**
     * Milliseconds that a client has to answer its close frame: an integer from 0, at least 1000
     * below Fastify's `pluginTimeout`. Default 1000.
     */
    grace?: number | undefined
    /**
     * Milliseconds over which the close frames are spread, so that clients do not all reconnect at
     * once: an integer from 0; with `grace`, at least 1000 below `pluginTimeout`. Default 0.
     */
    spread?: number | undefined
  } | undefined
  /**
   * Carries broadcasts to the clients of other servers, for example `redisStreams(…)` of
   * `fastify-time-socket/redis`. The plugin closes the backplane when the last time socket that
   * uses it closes. Default none.
   */
  backplane?: Backplane | undefined
  /**
   * The source of the server's time. Its readings are used unchanged. While it throws, or returns
   * no finite number, the time continues from its last reading. Default: the system clock, refined
   * to fractions of a millisecond.
   */
  clock?: Clock | undefined
  /**
   * Options for `@fastify/websocket`; refused if that plugin is already registered. Default `{}`.
   */
  websocket?: WebsocketOptions | undefined
  /** Log level of the route and of this plugin's lines. Default: the application's. */
  logLevel?: LogLevel
  /** Log serializers of the route and of this plugin's lines. Default none. */
  logSerializers?: Exclude<RegisterOptions['logSerializers'], undefined>
}

/**
 * Options with a context of any type, for `register`. Inline functions must fit
 * `TimeSocketContext`. The functions of a `TimeSocketOptions<Other>` are recognized by
 * `ContextMark`.
 */
export type AnyTimeSocketOptions = Omit<TimeSocketOptions, ContextOption> & {
  [Name in ContextOption]?: TimeSocketOptions[Name] | ContextMark
}

type ContextOption = 'context' | 'onConnect' | 'onMessage' | 'onClose'

declare const kContext: unique symbol

/** Exists only in types. An inline function has no property in common with it. */
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

/** How clients are closed at shutdown, with all defaults filled in. */
export interface ShutdownTimes {
  grace: number
  spread: number
}
