import { test } from 'tap'
import type { RedisClient, RedisStreamsOptions } from '../../../../src/cluster/redis/index.js'
import { resolveRedisStreamsOptions } from '../../../../src/cluster/redis/redis-options.js'

const CLIENT = { call () {}, callBuffer () {}, duplicate () {} } as unknown as RedisClient
const DEFAULTS = {
  key: 'fastify-time-socket',
  maxBytes: 268_435_456,
  maxLength: 10_000,
  maxQueueAge: 10_000,
  maxQueueBytes: 67_108_864
}

/** Without the engine. */
function resolve (given: RedisStreamsOptions): object {
  const { engine, ...options } = resolveRedisStreamsOptions(CLIENT, given)
  return options
}

test('has a default for every option', async (t) => {
  t.strictSame(resolve({}), DEFAULTS)
  t.strictSame(resolve({ key: undefined }), DEFAULTS)
})

test('accepts valid options', async (t) => {
  const given = { key: 'auction', maxBytes: 65_536, maxLength: 1, maxQueueAge: 100, maxQueueBytes: 1024 }
  t.strictSame(resolve(given), given)
})

const ONE_OF = 'one of key, maxBytes, maxLength, maxQueueAge, maxQueueBytes'
const rejected: [title: string, options: unknown, sentence: string][] = [
  ['options that are not an object', 5, '"backplane: redisStreams(…, options)" must be a plain object, got 5'],
  ['an unknown option', { url: 'a' }, `"url" must be ${ONE_OF}, got 'a'`],
  ['an empty key', { key: '' }, '"key" must be a string that is not empty, got \'\''],
  ['too few bytes', { maxBytes: 1000 },
    '"maxBytes" must be an integer from 65536 to 9007199254740991, got 1000'],
  ['a length of 0', { maxLength: 0 }, '"maxLength" must be an integer from 1 to 9007199254740991, got 0'],
  ['an age as text', { maxQueueAge: '1s' }, '"maxQueueAge" must be an integer from 100 to 60000, got \'1s\''],
  ['null', { maxQueueBytes: null },
    '"maxQueueBytes" must be an integer from 1024 to 9007199254740991, got null']
]

for (const [title, options, sentence] of rejected) {
  test(`rejects ${title}`, async (t) => {
    t.throws(() => resolveRedisStreamsOptions(CLIENT, options as RedisStreamsOptions), {
      code: 'FST_TIME_SOCKET_INVALID_OPTION', message: `time socket option ${sentence}`
    })
  })
}

for (const [title, client] of [
  ['no client', undefined], ['null', null], ['a URL', 'redis://localhost'],
  ['a pool of node-redis', { sendCommand () {}, duplicate () {}, connect () {} }], ['a client of another library', { sendCommand () {} }]
]) {
  test(`rejects ${title} as a client`, async (t) => {
    t.throws(() => resolveRedisStreamsOptions(client as unknown as RedisClient, {}), {
      code: 'FST_TIME_SOCKET_INVALID_OPTION', message: /redisStreams\(client\)" must be a client of ioredis/
    })
  })
}
