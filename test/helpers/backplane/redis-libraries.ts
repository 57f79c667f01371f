import { Redis as Valkey } from 'iovalkey'
import { createClient } from 'redis'
import { redisStreams } from '../../../src/cluster/redis/index.js'
import type { RedisClient } from '../../../src/cluster/redis/index.js'
import { testBackplane } from './contract.js'
import { needsRedis, startRedis } from '../programs/redis.js'
import type { RedisServer } from '../programs/redis.js'

/** A client of the application, as some library makes it. */
interface Client {
  readonly client: RedisClient
  ping (): Promise<unknown>
  close (): unknown
}

function connectIovalkey (port: number): Client {
  const client = new Valkey({ port, host: '127.0.0.1' })
  client.on('error', () => {})
  return { client, ping: () => client.ping(), close: () => client.disconnect() }
}

const connectNodeRedis = (RESP: 2 | 3) => async (port: number): Promise<Client> => {
  const client = createClient({ RESP, socket: { port, host: '127.0.0.1' } })
  client.on('error', () => {})
  await client.connect()
  return { client, ping: () => client.ping(), close: () => client.destroy() }
}

function connectIoredis (_port: number, redis: RedisServer): Client {
  const client = redis.connect()
  return { client, ping: () => client.ping(), close: () => client.disconnect() }
}

export type Library = 'ioredis' | 'iovalkey' | 'node-redis with RESP 2' | 'node-redis with RESP 3'

type Connect = (port: number, redis: RedisServer) => Client | Promise<Client>

const LIBRARIES: Readonly<Record<Library, Connect>> = {
  ioredis: connectIoredis,
  iovalkey: connectIovalkey,
  'node-redis with RESP 2': connectNodeRedis(2),
  'node-redis with RESP 3': connectNodeRedis(3)
}

/** On a busy machine, a healthy Redis may answer late. The contract allows at most 15 s. */
const QUEUE_AGE_MS = 12_000
const QUEUE_BYTES = 1_000_000
/** What the driver may have sent without an answer. */
const IN_FLIGHT_BYTES = 2_000_000

/** Runs the contract test over a client of this library and a Redis of its own. */
export function testLibrary (library: Library): void {
  const connect = LIBRARIES[library]
  testBackplane(`redisStreams over ${library}, on a real port,`, {
    async startEngine () {
      const disposals: (() => unknown)[] = []
      const redis = await startRedis({ teardown: (dispose) => disposals.push(dispose) })
      const application = await connect(redis.port, redis)
      return {
        redis,
        application,
        disposals,
        connect: () => redisStreams(application.client, {
          maxQueueAge: QUEUE_AGE_MS, maxQueueBytes: QUEUE_BYTES
        })
      }
    },
    async closeEngine ({ application, disposals }) {
      application.close()
      for (const dispose of disposals) await dispose()
    },
    stopEngine: ({ redis }) => redis.signal('SIGSTOP'),
    restartEngine: ({ redis }) => redis.signal('SIGCONT'),
    isClientOpen: async ({ application }) => await application.ping() === 'PONG',
    maxQueuedBytes: QUEUE_BYTES + IN_FLIGHT_BYTES
    // Each has a Redis of its own, and some wait for seconds.
  }, { ...needsRedis, jobs: 3 })
}
