import type { FastifyRedis } from '@fastify/redis'
import type { Backplane, TimeSocketOptions } from 'fastify-time-socket'
import { redisStreams } from 'fastify-time-socket/redis'
import type { RedisClient } from 'fastify-time-socket/redis'
import { Redis } from 'ioredis'
import { expect, test } from 'tstyche'

test('redisStreams takes a client of ioredis, whatever its answers look like', () => {
  expect(redisStreams(new Redis())).type.toBe<Backplane>()
  expect(redisStreams(new Redis({ replyMapping: 'resp3' }))).type.toBe<Backplane>()
  expect<RedisClient>().type.toBeAssignableFrom<Redis>()
})

test('redisStreams takes app.redis of @fastify/redis', () => {
  expect<RedisClient>().type.toBeAssignableFrom<FastifyRedis>()
  expect(redisStreams).type.toBeCallableWith({} as FastifyRedis, { key: 'my-app' })
})

test('redisStreams takes nothing else', () => {
  expect(redisStreams).type.not.toBeCallableWith()
  expect(redisStreams).type.not.toBeCallableWith('redis://localhost')
  expect(redisStreams).type.not.toBeCallableWith({ publish () {} })
  expect(redisStreams).type.not.toBeCallableWith(new Redis(), { keys: 'a' })
  expect(redisStreams).type.not.toBeCallableWith(new Redis(), { maxLength: '1' })
})

test('what it makes is a backplane, as anything of that shape is', () => {
  expect<TimeSocketOptions['backplane']>().type.toBe<Backplane | undefined>()
  expect<Backplane>().type.toBeAssignableFrom<{
    publish (payload: Uint8Array): Promise<void>
    subscribe (
      deliver: (payload: Uint8Array) => void, onError: (err: unknown) => void
    ): Promise<() => Promise<void>>
    close (): Promise<void>
  }>()
})
