import { InvalidOptionError } from '../../api/errors.js'
import * as check from '../../config/option-rules.js'
import { show, withoutUndefined } from '../../util/values.js'
import { findEngine } from './redis-client.js'
import type { RedisClient, RedisEngine } from './redis-client.js'

/** Options of `redisStreams`. Each is checked; `undefined` counts as absent. */
export interface RedisStreamsOptions {
  /**
   * Key of the stream that the servers share. Each application needs its own key. Otherwise it
   * would get the broadcasts of other applications. Default `fastify-time-socket`.
   */
  key?: string | undefined
  /**
   * About how many bytes Redis keeps for servers that stall or are temporarily disconnected: an
   * integer from 65 536 up. Redis keeps every message for 12 s, unless that takes more bytes.
   * Default 268 435 456 (256 MiB).
   */
  maxBytes?: number | undefined
  /**
   * About how many entries Redis keeps if it is older than 6.2, and so cannot trim by age: an
   * integer from 1 up. An entry holds up to 64 KiB of messages, or one larger message. Default
   * 10 000.
   */
  maxLength?: number | undefined
  /**
   * Milliseconds for which a message waits for Redis to accept it: an integer, 100 to 60 000. After
   * that, the message is dropped. Default 10 000, because receivers discard older messages.
   */
  maxQueueAge?: number | undefined
  /**
   * Bytes that may wait for Redis: an integer from 1024 up. If there are more, the oldest messages
   * are dropped; a single message that is larger is dropped at once. Default 67 108 864 (64 MiB).
   */
  maxQueueBytes?: number | undefined
}

/** The same options with all defaults filled in. */
export type ResolvedRedisStreamsOptions = {
  [Name in keyof RedisStreamsOptions]-?: Exclude<RedisStreamsOptions[Name], undefined>
}

const DEFAULTS: ResolvedRedisStreamsOptions = {
  key: 'fastify-time-socket',
  maxBytes: 268_435_456,
  maxLength: 10_000,
  maxQueueAge: 10_000,
  maxQueueBytes: 67_108_864
}

const RULES: Readonly<Record<keyof RedisStreamsOptions, check.Rule>> = {
  key: check.nonEmptyText,
  maxBytes: check.integerBetween(65_536, Number.MAX_SAFE_INTEGER),
  maxLength: check.integerBetween(1, Number.MAX_SAFE_INTEGER),
  maxQueueAge: check.integerBetween(100, 60_000),
  maxQueueBytes: check.integerBetween(1024, Number.MAX_SAFE_INTEGER)
}

const CLIENT_EXPECTED = 'a client of ioredis or iovalkey (new Redis(), new Redis.Cluster()) or of ' +
  'node-redis (createClient())'

/**
 * Checks the arguments of `redisStreams` and fills in the defaults.
 *
 * @throws {InvalidOptionError} for the first argument that is wrong.
 */
export function resolveRedisStreamsOptions (
  client: RedisClient, given: RedisStreamsOptions
): ResolvedRedisStreamsOptions & { engine: RedisEngine } {
  const engine = findEngine(client)
  if (engine === undefined) {
    throw new InvalidOptionError('backplane: redisStreams(client)', CLIENT_EXPECTED, show(client))
  }
  check.option('backplane: redisStreams(…, options)', given, check.object)
  check.fields(given, RULES)
  return { ...DEFAULTS, ...withoutUndefined(given) as ResolvedRedisStreamsOptions, engine }
}
