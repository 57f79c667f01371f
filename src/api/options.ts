import type { WebsocketPluginOptions } from '@fastify/websocket'
import type {
  FastifyRequest, LogLevel, RegisterOptions, RouteHandlerMethod, RouteShorthandOptions
} from 'fastify'
import type { Backplane } from './backplane.js'
import type { Clock, Format, FormatName, Tick } from './tick.js'
import type { CloseInfo, TickDelivery, TimeSocketClient, TimeSocketContext } from './time-socket.js'

/**
 * Options for one time socket. Every one is checked at registration; `undefined` counts as left
 * out.
 */
export interface TimeSocketOptions<Context = TimeSocketContext> {
  /** Path of the route, relative to the surrounding prefix, as of any route. Default `/time`. */
  url?: string | undefined
  /**
   * Name of a further registration: it then stands at `app.timeSocket[namespace]`. Default
   * none.
   */
  namespace?: string | undefined
  /**
   * Milliseconds between two ticks: an integer, 10 to 86 400 000. Ticks fall on whole multiples of
   * it since the Unix epoch. Default 5000.
   */
  interval?: number | undefined
  /**
   * Whether a new client gets the current time at once, not only at the next tick. Default
   * true.
   */
  immediate?: boolean | undefined
  /**
   * What a tick looks like: `iso` (RFC 3339), `date-string` (`Date#toString`), `timestamp`
   * (milliseconds), `json`, or a function of your own, pure, called once for a tick
   * and never once per client. Default `iso`.
   */
  format?: FormatName | Format | undefined
  /**
   * Fastify hook, or hooks, run before the upgrade and before plain HTTP: authentication.
   * Default none.
   */
  preValidation?: RouteShorthandOptions['preValidation'] | undefined
  /**
   * Fastify handler for plain `GET` and `HEAD`. Default: tells the time and the schedule as
   * JSON.
   */
  handler?: RouteHandlerMethod | undefined
  /**
   * Further Fastify options of the route: `schema`, `config`, `constraints`, `onRequest`, …
   * Default `{}`.
   */
  route?: TimeSocketRouteOptions | undefined
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
   * What to remember of a client, from its request, which itself is not kept. Default `() =>
   * ({})`.
   */
  context?: ((request: FastifyRequest) => Context | Promise<Context>) | undefined
  /**
   * When a client's permission ends, as Date or milliseconds since the Unix epoch, sync or async;
   * undefined: never. It is then closed with 4401; a request that comes later is refused with
   * 401. What is no moment, or one before 1973, such as a JWT's `exp` in seconds, refuses with
   * 500. What remains is measured monotonically. Default none.
   */
  expiresAt?: ((request: FastifyRequest) => ExpiresAt | Promise<ExpiresAt>) | undefined
  /** A client has connected. A throw or rejection closes it with 1011. Default none. */
  onConnect?: ((client: TimeSocketClient<Context>) => unknown) | undefined
  /**
   * A client sent text (as string) or bytes. A throw or rejection closes it with 1011. Default
   * none.
   */
  onMessage?: ((client: TimeSocketClient<Context>, data: string | Buffer) => unknown) | undefined
  /** A client has gone: called once for each, after its `onConnect` has settled. Default none. */
  onClose?: ((client: TimeSocketClient<Context>, info: CloseInfo) => unknown) | undefined
  /** A tick has been sent. Default none. */
  onTick?: ((tick: Tick, delivery: TickDelivery) => unknown) | undefined
  /**
   * How many clients may be connected to this time socket, upgrades that are under way
   * included: an integer from 1 up, or Infinity. Another is refused with 503. Default Infinity.
   */
  maxClients?: number | undefined
  /**
   * How many of them may come from one address, `request.ip`; of IPv6 addresses those of one
   * /64 count as one. An integer from 1 up, or Infinity. Another is refused with 429.
   * Default Infinity.
   */
  maxClientsPerIp?: number | undefined
  /**
   * Protocol pings (RFC 6455 §5.5.2), which find connections that died without a word;
   * `false`: none. A client from which not a byte comes after one is terminated, at most 1 s later
   * than these two add up to, unless the process was held up.
   */
  heartbeat?: false | {
    /** Milliseconds between two pings to a client: an integer, 10 to 86 400 000. Default 25 000. */
    interval?: number | undefined
    /** Milliseconds in which something must come back: likewise. Default 10 000. */
    timeout?: number | undefined
  } | undefined
  /**
   * Bytes of the largest message that a client may send: an integer, 1 to 2 147 483 647. A
   * larger one closes it with 1009. Default 4096.
   */
  maxMessageBytes?: number | undefined
  /**
   * How often a client may send, as a token bucket; `false`: as often as it likes. More closes
   * it with 1008.
   */
  messageRate?: false | {
    /** How many messages at once: an integer, 1 to 1 000 000. Default 20. */
    burst?: number | undefined
    /** How many in a second, on and on: a number above 0, up to 1 000 000. Default 10. */
    perSecond?: number | undefined
  } | undefined
  /**
   * Bytes that may wait for a client, since an earlier turn of the event loop, when it is
   * sent more: an integer, 0 to 2 147 483 647. One who lets more wait is terminated; ticks
   * are left out, and do not count. Default 65 536.
   */
  maxBufferedBytes?: number | undefined
  /**
   * Milliseconds that an upgrade, or a plain request of this URL, may stay unanswered,
   * authentication included: an integer, 1 to 2 147 483 647. It is then refused with 503. It
   * holds for every upgrade on the server; of several registrations the longest does.
   * Default 10 000.
   */
  handshakeTimeout?: number | undefined
  /** How clients are closed at shutdown. */
  shutdown?: {
    /**
     * Milliseconds a client has to answer its close frame: an integer, at least 1000 below
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
   * What carries broadcasts to the clients of other servers, such as `redisStreams(…)` from
   * `fastify-time-socket/redis`. It is closed with the last time socket that has it. Default none.
   */
  backplane?: Backplane | undefined
  /**
   * Where the server's time comes from: taken as it is. Default: the system's clock, with
   * fractions of a millisecond added.
   */
  clock?: Clock | undefined
  /**
   * Options for `@fastify/websocket`; refused when somebody has registered it already. Default
   * `{}`.
   */
  websocket?: WebsocketPluginOptions | undefined
  /** Log level of the route and of our own lines, as for any plugin. Default: the application's. */
  logLevel?: LogLevel
  /** Log serializers of the route and of our own lines, as for any plugin. Default none. */
  logSerializers?: Exclude<RegisterOptions['logSerializers'], undefined>
}

/** Which origins may connect, and read plain answers. */
export type OriginRule =
  'same-origin' | '*' | readonly string[] |
  ((origin: string, request: FastifyRequest) => boolean)

/** When a permission ends; undefined: never. */
export type ExpiresAt = Date | number | undefined

/** The route options that the application may set. */
export type TimeSocketRouteOptions = Omit<
  RouteShorthandOptions,
  'preValidation' | 'handlerTimeout' | 'websocket' | 'logLevel' | 'logSerializers'
> & Pick<RegisterOptions, 'logLevel' | 'logSerializers'>

type WithoutDefault =
  'namespace' | 'preValidation' | 'handler' | 'expiresAt' | 'backplane' | 'websocket' |
  'logLevel' | 'logSerializers'
type Reshaped = 'format' | 'heartbeat' | 'messageRate' | 'shutdown'

/** All options, checked and complete: nobody else fills in defaults. */
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
