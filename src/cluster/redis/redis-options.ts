import * as check from '../../config/option-rules.js'
import { withoutUndefined } from '../../util/values.js'
import type { RedisClient } from './redis-client.js'

/** Options of `redisStreams`. Every one is checked; `undefined` counts as left out. */
export interface RedisStreamsOptions {
  /**
   * Key of the stream that the servers share. One for each application: others would get its
   * broadcasts. Default `fastify-time-socket`.
   */
  key?: string | undefined
  /**
   * About how many messages Redis keeps for servers that are cut off for a while: an integer from
   * 1 up. Each server adds one every second. Default 10 000.
   */
  maxLength?: number | undefined
  /**
   * Milliseconds for which a message waits for Redis to take it: an integer, 100 to 60 000. It is
   * then given up. Default 10 000: older ones are left out by those who get them.
   */
  maxQueueAge?: number | undefined
  /**
   * Bytes that may wait for Redis: an integer from 1024 up. Beyond it the oldest messages are
   * given up, and a single larger one at once. Default 67 108 864 (64 MiB).
   */
  maxQueueBytes?: number | undefined
}

/** The same, complete. */
export type ResolvedRedisStreamsOptions = {
  [Name in keyof RedisStreamsOptions]-?: Exclude<RedisStreamsOptions[Name], undefined>
}

const DEFAULTS: ResolvedRedisStreamsOptions = {
  key: 'fastify-time-socket',
  maxLength: 10_000,
  maxQueueAge: 10_000,
  maxQueueBytes: 67_108_864
}

const RULES: Readonly<Record<keyof RedisStreamsOptions, check.Rule>> = {
  key: check.nonEmptyText,
  maxLength: check.integerBetween(1, Number.MAX_SAFE_INTEGER),
  maxQueueAge: check.integerBetween(100, 60_000),
  maxQueueBytes: check.integerBetween(1024, Number.MAX_SAFE_INTEGER)
}

const CLIENT_RULE: check.Rule = {
  expected: 'a client of ioredis, and no Cluster',
  holds: (value) => check.objectWith('call', 'callBuffer', 'duplicate').holds(value) &&
    (value as { isCluster?: boolean }).isCluster !== true
}

/**
 * Checks the arguments of `redisStreams` and completes them.
 *
 * @throws {InvalidOptionError} for the first that is wrong.
 */
export function resolveRedisStreamsOptions (
  client: RedisClient, given: RedisStreamsOptions
): ResolvedRedisStreamsOptions {
  // As the option that it is for: `undefined` must not pass.
  check.option('backplane: redisStreams(client)', Object(client), CLIENT_RULE)
  check.option('backplane: redisStreams(…, options)', given, check.object)
  check.fields(given, RULES)
  return { ...DEFAULTS, ...withoutUndefined(given) as ResolvedRedisStreamsOptions }
}
