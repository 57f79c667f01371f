export type { Backplane, Deliver } from '../backplane.js'
export type { RedisClient } from './client.js'
export type { RedisStreamsOptions } from './options.js'
export { redisStreams } from './redis-streams.js'
