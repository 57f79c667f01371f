import { EventEmitter } from 'node:events'
import { createClient } from 'redis'
import { test } from 'tap'
import { findEngine } from '../../../../src/cluster/redis/redis-client.js'

/** Looks like a client, and like each of its duplicates. */
class FakeClient extends EventEmitter {
  readonly calls: unknown[][] = []
  connecting: Promise<void> = Promise.resolve()
  isVersion5 = false
  readonly options = { socket: { host: 'a' } }

  duplicate = (...args: object[]) => {
    this.calls.push(['duplicate', ...args])
    return this
  }

  disconnect = () => { this.calls.push(['disconnect']) }
  connect = () => this.connecting
  destroy = () => {
    this.calls.push(['destroy'])
    if (this.isVersion5) throw new Error('the client is closed')
  }
}

class FakeIoredis extends FakeClient {
  callBuffer = async (...args: unknown[]) => { this.calls.push(args) }
}

class FakeCluster extends FakeIoredis {
  nodes = () => [{ options: { host: 'b', port: 7000, lazyConnect: true } }]
}

class FakeNodeRedis extends FakeClient {
  monitor = () => {}
  sendCommand = async (...args: unknown[]) => { this.calls.push(args) }
}

function setUp<Client extends FakeClient> (client: Client) {
  const events: unknown[] = []
  const engine = findEngine(client)
  const connection = engine?.open({
    onReady: () => { events.push('ready') },
    onLost: (err) => { events.push((err as Error).message) }
  })
  return { client, engine, connection, events }
}

for (const [name, client, commandLine] of [
  ['a client of ioredis', new FakeIoredis(), ['XADD', ['key', 5, '*']]],
  ['a cluster of ioredis', new FakeCluster(), ['XADD', ['key', 5, '*']]],
  ['a client of node-redis', new FakeNodeRedis(), [['XADD', 'key', '5', '*'], { typeMapping: { 36: Buffer } }]]
] as const) {
  test(`${name} is called with its own methods`, async (t) => {
    const { connection, events } = setUp(client)
    client.emit('ready')
    client.emit('error', new Error('ECONNRESET'))
    client.emit('end')
    await connection?.send(['XADD', 'key', 5, '*'])
    t.strictSame(client.calls.at(-1), commandLine)
    t.strictSame(events.slice(0, 2), ['ready', 'ECONNRESET'])
    connection?.close()
    t.match(client.calls.at(-1), [/disconnect|destroy/])
  })
}

test('only a cluster may answer in a different order', async (t) => {
  const engines = [new FakeIoredis(), new FakeCluster(), new FakeNodeRedis()].map(findEngine)
  t.strictSame(engines.map((engine) => engine?.mayReorder), [false, true, false])
})

test('ioredis never reopens a connection by itself', async (t) => {
  const { client } = setUp(new FakeIoredis())
  const options = client.calls[0]?.[1] as Record<string, () => unknown>
  t.strictSame([options.retryStrategy?.(), options.sentinelRetryStrategy?.()], [null, null])
  const cluster = setUp(new FakeCluster())
  const [, , clusterOptions] = cluster.client.calls[0] ?? []
  t.equal((clusterOptions as typeof options).clusterRetryStrategy?.(), null)
})

test('a cluster is entered by any node that the client knows by now', async (t) => {
  const { client } = setUp(new FakeCluster())
  t.strictSame(client.calls[0]?.[1], [{ host: 'b', port: 7000 }])
})

test('an ioredis connection that ends without an error gives an error that says so', async (t) => {
  const { client, events } = setUp(new FakeIoredis())
  client.emit('end')
  t.strictSame(events, ['Redis has ended the connection'])
})

test('a node-redis connection keeps the socket options, and is never reopened', async (t) => {
  const { client } = setUp(new FakeNodeRedis())
  t.match(client.calls[0]?.[1], { RESP: 2, socket: { host: 'a', reconnectStrategy: false } })
})

for (const options of [{}, { RESP: 2 }, { RESP: 3 }, { emitInvalidate: true }] as const) {
  test(`node-redis duplicates a client made with ${JSON.stringify(options)}`, async (t) => {
    const client = createClient({ ...options, socket: { host: '127.0.0.1', port: 1 } })
    const err = await new Promise((resolve) => {
      const connection = findEngine(client)?.open({ onReady () {}, onLost: resolve })
      t.teardown(() => connection?.close())
    })
    t.match(err, { code: 'ECONNREFUSED' })
  })
}

test('a node-redis connection that cannot be opened is lost', async (t) => {
  const client = new FakeNodeRedis()
  client.connecting = Promise.reject(new Error('WRONGPASS'))
  const { events } = setUp(client)
  await new Promise(setImmediate)
  t.strictSame(events, ['WRONGPASS'])
})

test('node-redis 5 is closed even if it throws because the connection has already ended', async (t) => {
  const client = new FakeNodeRedis()
  client.isVersion5 = true
  const { connection } = setUp(client)
  connection?.close()
  t.strictSame(client.calls.at(-1), ['destroy'])
})
