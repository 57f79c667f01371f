import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'
import { waitFor } from '../network/wait.js'

/** A Redis of one's own, on a free port of the loopback interface. */
export interface RedisServer {
  readonly port: number
  /** A client, which goes when the test ends. It has no word for errors of its own. */
  connect (options?: Settings): Redis
  /** Kills it, or stops it with SIGSTOP. */
  signal (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Starts it again after it was killed. @returns when it answers. */
  restart (): Promise<void>
}

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** Without what decides the type of answers. */
type Settings = Omit<RedisOptions, 'replyMapping'>

/** A primary with a replica, and three sentinels that watch over them. */
export interface RedisSentinels {
  /** Of the sentinels. */
  readonly ports: readonly number[]
  /** The name under which they know the primary. */
  readonly name: string
  killPrimary (): Promise<void>
}

/** Three primaries with a replica each, which share the slots of a cluster. */
export interface RedisCluster {
  /** @returns the port of the primary that serves this key. */
  findOwner (key: string): Promise<number>
  kill (port: number): Promise<void>
}

export interface RedisServerOptions {
  /** Whether it has written everything to disk before it answers. Default: it keeps nothing. */
  keepsData?: boolean
  password?: string
  /** Further arguments of `redis-server`. */
  settings?: readonly string[]
}

const isInstalled = spawnSync('redis-server', ['--version']).status === 0

/** For tap: skips where there is no Redis, except in CI. */
export const needsRedis = {
  skip: !isInstalled && process.env.CI !== 'true' && 'redis-server is not installed'
}

/** Starts it for as long as the test lasts. */
export async function startRedis (
  t: Test, { keepsData = false, password, settings = [] }: RedisServerOptions = {}
): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await findPort()
  const args = [
    '--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--save', '',
    '--appendonly', keepsData ? 'yes' : 'no', '--appendfsync', 'always',
    '--enable-protected-configs', 'yes',
    ...(password === undefined ? [] : ['--requirepass', password]), ...settings
  ]
  const clients: Redis[] = []
  let child = run()

  function run (): ChildProcess {
    return spawn('redis-server', args, { stdio: 'ignore' })
  }

  async function kill (): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  t.teardown(async () => {
    for (const client of clients) client.disconnect()
    await kill()
    await rm(directory, { recursive: true })
  })
  await waitFor(() => answers(port, password), 'the start of Redis')
  return {
    port,
    connect (options = {}) {
      const client = new Redis({ port, host: '127.0.0.1', ...(password && { password }), ...options })
      client.on('error', () => {})
      clients.push(client)
      return client
    },
    async signal (signal) {
      if (signal === 'SIGKILL') await kill()
      else child.kill(signal)
    },
    async restart () {
      child = run()
      await waitFor(() => answers(port, password), 'the start of Redis')
    }
  }
}

export async function startRedisSentinels (t: Test): Promise<RedisSentinels> {
  const name = 'primary'
  const primary = await startRedis(t)
  const replicaOf = ['--replicaof', '127.0.0.1', String(primary.port)]
  await startRedis(t, { settings: replicaOf })
  const ports = await Promise.all([1, 2, 3].map(() => startSentinel(t, name, primary.port)))
  const client = new Redis({ port: Number(ports[0]), host: '127.0.0.1' })
  t.teardown(() => client.disconnect())
  const knows = (kind: string) => async () => {
    return (await client.call('SENTINEL', [kind, name]) as unknown[]).length > 0
  }
  await waitFor(knows('REPLICAS'), 'a replica')
  await waitFor(knows('SENTINELS'), 'other sentinels')
  return { ports, name, killPrimary: () => primary.signal('SIGKILL') }
}

export async function startRedisCluster (t: Test): Promise<RedisCluster> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
  const servers = await Promise.all(Array.from({ length: 6 }, () => startRedis(t, { settings })))
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  const { status, stdout } = spawnSync('redis-cli', [
    '--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'
  ], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`redis-cli could not create the cluster: ${stdout}`)
  const clients = servers.map((server) => server.connect())
  await waitFor(async () => {
    const ready = await Promise.all(clients.map(isClusterNodeReady))
    return !ready.includes(false)
  }, 'the start of the cluster')
  return {
    async findOwner (key) {
      const slot = Number(await clients[0]?.cluster('KEYSLOT', key))
      const ranges = await clients[0]?.cluster('SLOTS')
      const range = ranges?.find(([first, last]) => first <= slot && slot <= last)
      return Number(range?.[2]?.[1])
    },
    async kill (port) {
      await servers.find((server) => server.port === port)?.signal('SIGKILL')
    }
  }
}

/** A primary is ready with a replica, a replica with all that its primary has. */
async function isClusterNodeReady (client: Redis): Promise<boolean> {
  const state = String(await client.cluster('INFO'))
  const replication = String(await client.info('replication'))
  const hasAll = /connected_slaves:1|master_link_status:up/.test(replication)
  return /cluster_state:ok/.test(state) && hasAll
}

async function startSentinel (t: Test, name: string, primaryPort: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await findPort()
  const file = join(directory, 'sentinel.conf')
  await writeFile(file, [
    `port ${port}`, 'bind 127.0.0.1', `dir ${directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} 2`,
    `sentinel down-after-milliseconds ${name} 1000`, `sentinel failover-timeout ${name} 5000`
  ].join('\n'))
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  t.teardown(async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    await rm(directory, { recursive: true })
  })
  await waitFor(() => answers(port, undefined), 'the start of a sentinel')
  return port
}

async function answers (port: number, password: string | undefined): Promise<boolean> {
  const client = new Redis({
    port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null, ...(password && { password })
  })
  client.on('error', () => {})
  try {
    return await client.ping() === 'PONG'
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}

/** A free port whose cluster bus, 10 000 above, is a port as well. */
async function findPort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port + 10_000 < 65_536 ? port : findPort()
}
