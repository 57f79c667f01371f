export type { Backplane, Deliver } from '../../api/backplane.js'
export type { IoredisClient, NodeRedisClient, RedisClient } from './redis-client.js'
export type { RedisStreamsOptions } from './redis-options.js'
export { redisStreams } from './redis-streams.js'
