/** Text, bytes or a number that a command takes. */
export type Argument = string | Buffer | number

/**
 * A client of the application: `new Redis()` or `new Redis.Cluster()` of ioredis or iovalkey, or
 * `createClient()` of node-redis 5 or later. The driver only duplicates it.
 */
export type RedisClient = IoredisClient | NodeRedisClient

/** The members of an ioredis or iovalkey client, or cluster, that the driver uses. */
export interface IoredisClient {
  callBuffer (command: string, args: Argument[]): Promise<unknown>
  duplicate (options?: object): object
}

/** The members of a node-redis client that the driver uses. */
export interface NodeRedisClient {
  sendCommand (args: string[]): Promise<unknown>
  duplicate (options?: object): object
  connect (): Promise<unknown>
}

/** One connection. Once it is lost, it is not used again. */
export interface EngineConnection {
  /**
   * Sends a command. Bulk strings of the answer are Buffers. Rejects with the error that Redis
   * returns.
   */
  send (args: readonly Argument[]): Promise<unknown>
  /** Ends the connection at once. */
  close (): void
}

export interface ConnectionEvents {
  onReady (): void
  /** May be called more than once, and after `close`. */
  onLost (err: unknown): void
}

/** Opens a separate connection, with the settings of the application's client. */
export type OpenConnection = (events: ConnectionEvents) => EngineConnection

export interface RedisEngine {
  readonly open: OpenConnection
  /** True if the engine may answer commands in a different order than they were sent. */
  readonly mayReorder: boolean
}

/** Settings that override those of the application's client. */
const IOREDIS_OPTIONS = {
  lazyConnect: false,
  // A lost connection is replaced as a whole, and its commands fail at once.
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  protocol: 2,
  replyMapping: 'legacy',
  // A blocking command may take any length of time.
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  // Otherwise ioredis waits two seconds for Redis to end the connection.
  disconnectTimeout: 0
}

const CLUSTER_OPTIONS = {
  lazyConnect: false,
  clusterRetryStrategy: () => null,
  // The cluster counts as ready before its nodes are connected. Without this queue, the first
  // command to such a node fails.
  enableOfflineQueue: true,
  enableAutoPipelining: false,
  // A replica may not have the latest entries yet.
  scaleReads: 'master',
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  // Connects only to the node that is used.
  redisOptions: { ...IOREDIS_OPTIONS, lazyConnect: true }
}

/** `RESP_TYPES.BLOB_STRING` of node-redis: the type byte of the protocol. */
const BULK_STRING = 0x24

const NODE_REDIS_OPTIONS = {
  RESP: 2,
  // These need RESP 3. A default client of node-redis 6 has maintNotifications: 'auto'.
  clientSideCache: undefined,
  emitInvalidate: undefined,
  maintNotifications: 'disabled',
  disableOfflineQueue: true,
  commandsQueueMaxLength: undefined
}

/**
 * Recognizes the library of a client by its methods.
 *
 * @returns undefined if the driver cannot use the client.
 */
export function findEngine (client: unknown): RedisEngine | undefined {
  const has = (...names: string[]) => {
    return names.every((name) => typeof Object(client)[name] === 'function')
  }
  if (has('callBuffer', 'duplicate', 'nodes')) {
    return { open: (events) => openCluster(client as ClusterTemplate, events), mayReorder: true }
  }
  if (has('callBuffer', 'duplicate')) {
    return { open: (events) => openIoredis(client as IoredisTemplate, events), mayReorder: false }
  }
  // Neither the pool nor the cluster of node-redis has this command.
  if (has('sendCommand', 'duplicate', 'connect', 'monitor')) {
    const template = client as NodeRedisTemplate
    return { open: (events) => openNodeRedis(template, events), mayReorder: false }
  }
  return undefined
}

interface IoredisTemplate {
  duplicate (...args: object[]): IoredisConnection
}

interface ClusterTemplate extends IoredisTemplate {
  /** The nodes that the client knows: none if it has not connected, or no longer is. */
  nodes (): { readonly options: { readonly host?: string, readonly port?: number } }[]
}

interface IoredisConnection extends Pick<IoredisClient, 'callBuffer'> {
  on (event: 'error' | 'ready' | 'end', listener: (err: Error) => void): unknown
  disconnect (): void
}

function openIoredis (client: IoredisTemplate, events: ConnectionEvents): EngineConnection {
  return adaptIoredis(client.duplicate(IOREDIS_OPTIONS), events)
}

function openCluster (client: ClusterTemplate, events: ConnectionEvents): EngineConnection {
  // The nodes that the application has named may be gone by now.
  const nodes = client.nodes().map(({ options: { host, port } }) => ({ host, port }))
  return adaptIoredis(client.duplicate(nodes, CLUSTER_OPTIONS), events)
}

function adaptIoredis (
  connection: IoredisConnection, { onReady, onLost }: ConnectionEvents
): EngineConnection {
  let cause: Error | undefined
  // One of several sentinels may fail: the connection is lost only when it ends.
  connection.on('error', (err) => { cause = err })
  connection.on('ready', onReady)
  connection.on('end', () => onLost(cause ?? new Error('Redis has ended the connection')))
  return {
    send: (args) => connection.callBuffer(String(args[0]), args.slice(1)),
    close: () => connection.disconnect()
  }
}

interface NodeRedisTemplate {
  readonly options?: { readonly socket?: object }
  duplicate (options: object): NodeRedisConnection
}

interface NodeRedisConnection {
  on (event: 'error' | 'ready' | 'end', listener: (err: Error) => void): unknown
  connect (): Promise<unknown>
  sendCommand (args: (string | Buffer)[], options: object): Promise<unknown>
  destroy (): void
}

function openNodeRedis (
  client: NodeRedisTemplate, { onReady, onLost }: ConnectionEvents
): EngineConnection {
  const connection = client.duplicate({
    ...NODE_REDIS_OPTIONS,
    socket: { ...client.options?.socket, reconnectStrategy: false, socketTimeout: undefined }
  })
  connection.on('error', onLost)
  connection.on('ready', onReady)
  connection.on('end', () => onLost(new Error('Redis has ended the connection')))
  connection.connect().catch(onLost)
  return {
    send (args) {
      const texts = args.map((arg) => typeof arg === 'number' ? String(arg) : arg)
      return connection.sendCommand(texts, { typeMapping: { [BULK_STRING]: Buffer } })
    },
    close () {
      try {
        connection.destroy()
      } catch {
        // Version 5 throws if the connection has ended already.
      }
    }
  }
}
