import { InvalidOptionError } from '../api/errors.js'
import * as check from './option-rules.js'
import { FORMATS } from '../time/tick-format.js'
import type { FormatName } from '../api/option-values.js'
import type { ResolvedOptions, ShutdownTimes, TimeSocketOptions } from '../api/options.js'
import type { WebsocketOptions } from '../api/websocket-options.js'
import { SYSTEM_CLOCK } from '../time/wall-clock.js'
import { doNothing, show, withoutUndefined } from '../util/values.js'

const DEFAULTS = {
  url: '/time',
  interval: 5000,
  immediate: true,
  route: {},
  origin: 'same-origin' as const,
  protocols: [],
  context: () => ({}),
  onConnect: doNothing,
  onMessage: doNothing,
  onClose: doNothing,
  onTick: doNothing,
  maxClients: Infinity,
  maxClientsPerIp: Infinity,
  maxMessageBytes: 4096,
  maxBufferedBytes: 65_536,
  handshakeTimeout: 10_000,
  clock: SYSTEM_CLOCK
}
const DEFAULT_FORMAT = 'iso'
const DEFAULT_HEARTBEAT = { interval: 25_000, timeout: 10_000 }
const DEFAULT_MESSAGE_RATE = { burst: 20, perSecond: 10 }
const DEFAULT_SHUTDOWN: ShutdownTimes = { grace: 1000, spread: 0 }

const MIN_INTERVAL_MS = 10
const MAX_INTERVAL_MS = 86_400_000
/** The longest delay of a Node.js timer. */
const MAX_DELAY_MS = 2 ** 31 - 1
/**
 * The part of Fastify's `pluginTimeout` that a shutdown must leave unused. Otherwise `app.close()`
 * would reject.
 */
const TIMEOUT_MARGIN_MS = 1000

const RULES: Readonly<Record<keyof TimeSocketOptions, check.Rule>> = {
  url: check.path,
  namespace: check.namespace,
  interval: check.integerBetween(MIN_INTERVAL_MS, MAX_INTERVAL_MS),
  immediate: check.boolean,
  format: {
    expected: `a function or one of ${Object.keys(FORMATS).join(', ')}`,
    holds: (value) => typeof value === 'function' || isFormatName(value)
  },
  preValidation: check.hooks,
  handler: check.callback,
  route: check.object,
  serveClient: check.boolean,
  origin: check.originRule,
  protocols: check.protocols,
  context: check.callback,
  onConnect: check.callback,
  onMessage: check.callback,
  onClose: check.callback,
  onTick: check.callback,
  maxClients: check.count,
  maxClientsPerIp: check.count,
  expiresAt: check.callback,
  heartbeat: check.objectOrFalse,
  maxMessageBytes: check.integerBetween(1, 2 ** 31 - 1),
  messageRate: check.objectOrFalse,
  maxBufferedBytes: check.integerBetween(0, 2 ** 31 - 1),
  handshakeTimeout: check.integerBetween(1, MAX_DELAY_MS),
  shutdown: check.object,
  backplane: check.objectWith('publish', 'subscribe', 'close'),
  clock: check.objectWith('now'),
  websocket: check.object,
  logLevel: check.text,
  logSerializers: check.object
}

const HEARTBEAT_RULES = {
  interval: check.integerBetween(MIN_INTERVAL_MS, MAX_INTERVAL_MS),
  timeout: check.integerBetween(MIN_INTERVAL_MS, MAX_INTERVAL_MS)
}
const MESSAGE_RATE_RULES = {
  burst: check.integerBetween(1, 1_000_000),
  perSecond: check.numberAbove(0, 1_000_000)
}

const WEBSOCKET_RULES: Readonly<Record<keyof WebsocketOptions, check.Rule>> = {
  errorHandler: check.callback,
  preClose: check.callback,
  options: check.object
}

/** Rejects any `shutdown.grace`, because `pluginTimeout` is shorter than the margin. */
const TOO_SHORT_FOR_SHUTDOWN: check.Rule = {
  expected: `used with a pluginTimeout of at least ${TIMEOUT_MARGIN_MS}`,
  holds: () => false
}

/**
 * Checks every option and fills in the defaults.
 *
 * @param pluginTimeoutMs Fastify's `pluginTimeout`, which bounds the shutdown; 0 means no bound.
 * @throws {InvalidOptionError} for the first option that is unknown, of the wrong type or out of
 * range.
 */
export function resolveOptions<Context> (
  given: TimeSocketOptions<Context> & { prefix?: unknown }, pluginTimeoutMs: number = 0
): ResolvedOptions<Context> {
  check.option('options', given, check.object)
  check.option('prefix', given.prefix, check.absent('use url'))
  check.fields(given, RULES)
  check.fields(given.websocket, WEBSOCKET_RULES, 'websocket')
  check.serverOptions(given.websocket?.options)
  check.route(given.route)
  check.origins(given.origin)
  const { format = DEFAULT_FORMAT, heartbeat, messageRate, shutdown, ...others } = given
  return {
    ...DEFAULTS as unknown as ResolvedOptions<Context>,
    ...withoutUndefined(others),
    format: typeof format === 'function' ? format : FORMATS[format],
    heartbeat: heartbeat !== false &&
      resolveFields('heartbeat', heartbeat, DEFAULT_HEARTBEAT, HEARTBEAT_RULES),
    messageRate: messageRate !== false &&
      resolveFields('messageRate', messageRate, DEFAULT_MESSAGE_RATE, MESSAGE_RATE_RULES),
    shutdown: resolveShutdown(shutdown, pluginTimeoutMs),
    serveClient: resolveServeClient(given)
  }
}

/** Checks an option that has fields of its own, and fills in the defaults. */
function resolveFields<Fields extends object> (
  name: string, given: object | undefined, defaults: Fields, rules: Record<keyof Fields, check.Rule>
): Fields {
  const resolved = { ...defaults, ...withoutUndefined({ ...given }) }
  check.fields(resolved, rules, name)
  return resolved
}

function resolveShutdown (
  shutdown: TimeSocketOptions['shutdown'], pluginTimeoutMs: number
): ShutdownTimes {
  const maxMs = pluginTimeoutMs === 0 ? MAX_DELAY_MS : pluginTimeoutMs - TIMEOUT_MARGIN_MS
  const resolved = { ...DEFAULT_SHUTDOWN, ...withoutUndefined({ ...shutdown }) }
  const grace = maxMs < 0 ? TOO_SHORT_FOR_SHUTDOWN : check.integerBetween(0, maxMs)
  check.option('shutdown.grace', resolved.grace, grace)
  const spread = check.integerBetween(0, maxMs - resolved.grace)
  check.fields(resolved, { grace, spread }, 'shutdown')
  return resolved
}

function resolveServeClient (
  { url = DEFAULTS.url, serveClient }: Pick<TimeSocketOptions, 'url' | 'serveClient'>
): boolean {
  // Below a path that ends in an optional or wildcard part, a script would have no path of its own.
  const canServe = !/[?*]$/.test(url)
  if (serveClient === true && !canServe) {
    const expected = 'false for a url with optional or wildcard parts'
    throw new InvalidOptionError('serveClient', expected, show(serveClient))
  }
  // The script assumes that the URL of its time socket has no trailing slash.
  return serveClient ?? (canServe && !url.endsWith('/'))
}

function isFormatName (value: unknown): value is FormatName {
  return typeof value === 'string' && Object.hasOwn(FORMATS, value)
}
