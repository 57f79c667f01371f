import type * as entry from './index.js' with { 'resolution-mode': 'import' }

// Node loads ES modules through require since 20.19: there is one instance for all callers.
const redis: typeof entry = require('./index.js')

// eslint-disable-next-line @typescript-eslint/no-redeclare
declare namespace redis {
  export type Backplane = entry.Backplane
  export type Deliver = entry.Deliver
  export type IoredisClient = entry.IoredisClient
  export type NodeRedisClient = entry.NodeRedisClient
  export type RedisClient = entry.RedisClient
  export type RedisStreamsOptions = entry.RedisStreamsOptions
}

export = redis
