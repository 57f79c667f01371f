import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { test } from 'tap'
import { redisStreams } from '../../../src/cluster/redis/index.js'
import { needsRedis, startRedis } from '../../helpers/programs/redis.js'
import type { RedisServer, RedisServerOptions } from '../../helpers/programs/redis.js'
import { SOON_MS, waitFor, within } from '../../helpers/network/wait.js'

type Test = Parameters<typeof startRedis>[0]
type Settings = Parameters<RedisServer['connect']>[0]

/** A Redis, and two servers of which one listens to the other. */
async function setUp (t: Test, options: RedisServerOptions = {}) {
  const redis = await startRedis(t, options)
  const [client, admin] = [redis.connect(), redis.connect()]
  // So long ioredis would wait for the other end, if the driver let it.
  const otherClient = redis.connect({ disconnectTimeout: 60_000 })
  const [one, other] = [redisStreams(client), redisStreams(otherClient)]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  const texts: string[] = []
  const errors: string[] = []
  const keep = (payload: Uint8Array) => texts.push(String(payload))
  const end = await other.subscribe(keep, (err) => errors.push(String(err)))
  const publish = (text: string) => one.publish(Buffer.from(text))
  const arrived = (text: string) => waitFor(() => texts.includes(text), `"${text}"`)
  return { redis, client, admin, one, other, texts, errors, end, publish, arrived }
}

type Setting = Awaited<ReturnType<typeof setUp>>

/** What is done to Redis, and how it is undone. */
type Fault = [
  title: string,
  begin: (setting: Setting) => Promise<unknown>,
  end?: (setting: Setting) => Promise<unknown>
]

const KEY = 'fastify-time-socket'
/** Entries of a new stream that come in the same millisecond would seem to be old ones. */
const MILLISECOND_MS = 2

const outages: Fault[] = [
  ['a kill -9, after which Redis has lost its data',
    ({ redis }) => redis.signal('SIGKILL'), ({ redis }) => redis.restart()],
  ['a SIGSTOP', ({ redis }) => redis.signal('SIGSTOP'), ({ redis }) => redis.signal('SIGCONT')],
  ['CLIENT KILL',
    ({ admin }) => admin.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])],
  ['FLUSHALL', ({ admin }) => admin.flushall().then(() => sleep(MILLISECOND_MS))],
  ['DEL of the stream', ({ admin }) => admin.del(KEY).then(() => sleep(MILLISECOND_MS))],
  ['an OOM answer', ({ admin }) => admin.config('SET', 'maxmemory', '1'),
    ({ admin }) => admin.config('SET', 'maxmemory', '0')],
  ['a READONLY answer', ({ admin }) => admin.replicaof('127.0.0.1', 1),
    ({ admin }) => admin.replicaof('NO', 'ONE')],
  ['a NOREPLICAS answer', ({ admin }) => admin.config('SET', 'min-replicas-to-write', '1'),
    ({ admin }) => admin.config('SET', 'min-replicas-to-write', '0')],
  ['a MISCONF answer', ({ admin }) => failToSave(admin),
    ({ admin }) => admin.config('SET', 'stop-writes-on-bgsave-error', 'no')]
]

/** Has a save fail: where the file would be, there is a directory. */
async function failToSave (admin: Redis): Promise<void> {
  const [, directory = ''] = await admin.config('GET', 'dir') as string[]
  await mkdir(join(directory, 'taken'))
  await admin.config('SET', 'dbfilename', 'taken')
  await admin.config('SET', 'save', '3600 1')
  await admin.bgsave()
  await waitFor(async () => (await admin.info('persistence')).includes('bgsave_status:err'), 'a failure')
}

for (const [title, begin, end] of outages) {
  test(`on a real port, delivers messages that were published during ${title}`, needsRedis, async (t) => {
    const setting = await setUp(t)
    const { texts, publish, arrived } = setting
    await publish('before')
    await arrived('before')
    await begin(setting)
    const published = Promise.all(['a', 'b', 'c'].map(publish))
    // It is away until everybody has noticed.
    await Promise.race([published, sleep(300)])
    await end?.(setting)
    await within(published, 'the end of the outage')
    await arrived('c')
    await publish('after')
    await arrived('after')
    t.strictSame([...new Set(texts)], ['before', 'a', 'b', 'c', 'after'])
  })
}

test('on a real port, notices a stream whose ids have gone back', needsRedis, async (t) => {
  const { admin, publish, arrived } = await setUp(t)
  const future = Date.now() + 3_600_000
  await admin.xadd(KEY, `${future}-0`, 'd', 'from the future')
  await arrived('from the future')
  await admin.del(KEY)
  await publish('from now')
  await arrived('from now')
})

test('on a real port, delivers an entry of other software as an empty payload', needsRedis, async (t) => {
  const { admin, texts, publish, arrived } = await setUp(t)
  await admin.xadd(KEY, '*', 'poison', 'x')
  await publish('good')
  await arrived('good')
  t.strictSame(texts, ['', 'good'])
})

test('on a real port, keeps about maxBytes of the entries younger than twelve seconds', needsRedis, async (t) => {
  const redis = await startRedis(t)
  const client = redis.connect()
  const backplane = redisStreams(client, { key: 'mine', maxBytes: 1_000_000 })
  t.teardown(() => backplane.close())
  const payload = Buffer.alloc(9900)
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 50 }, () => backplane.publish(payload)))
  }
  const length = await client.xlen('mine')
  t.ok(length >= 90 && length <= 160, `${length} entries`)
})

test('on a real port, trims by age', needsRedis, async (t) => {
  const redis = await startRedis(t)
  const client = redis.connect()
  const backplane = redisStreams(client, { key: 'mine' })
  t.teardown(() => backplane.close())
  const nowMs = Date.now()
  const payload = Buffer.alloc(5000)
  await client.xadd('mine', `${nowMs - 60_000}-0`, 'd', payload)
  await client.xadd('mine', `${nowMs - 5000}-0`, 'd', payload)
  for (const text of ['first', 'second']) await backplane.publish(Buffer.from(text))
  t.equal(await client.xlen('mine'), 3)
})

test('on a real port, neither closes the given client nor leaves a listener on it', needsRedis, async (t) => {
  const { client, one } = await setUp(t)
  // While it connects, ioredis has listeners of its own.
  await client.ping()
  const names = client.eventNames()
  const end = await one.subscribe(() => {}, () => {})
  await end()
  await one.close()
  t.strictSame([await client.ping(), client.eventNames()], ['PONG', names])
})

test('on a real port, works with a client that connects only when used', needsRedis, async (t) => {
  const redis = await startRedis(t)
  const backplane = redisStreams(redis.connect({ lazyConnect: true }))
  t.teardown(() => backplane.close())
  await backplane.publish(Buffer.from('a'))
})

test('on a real port, waits until the password is right, and reports the error', needsRedis, async (t) => {
  const redis = await startRedis(t)
  const admin = redis.connect()
  await admin.config('SET', 'requirepass', 'right')
  const client = redis.connect({ password: 'wrong' })
  const backplane = redisStreams(client)
  t.teardown(() => backplane.close())
  const errors: string[] = []
  const texts: string[] = []
  const keep = (payload: Uint8Array) => texts.push(String(payload))
  const subscribed = backplane.subscribe(keep, (err) => errors.push(String(err)))
  await waitFor(() => errors.length > 1, 'the errors')
  t.match(errors[0], /WRONGPASS/)
  await admin.config('SET', 'requirepass', 'wrong')
  await within(subscribed, 'the subscription')
  await backplane.publish(Buffer.from('a'))
  await waitFor(() => texts.includes('a'), 'the message')
  t.ok(errors.length < 50, `${errors.length} errors: no busy loop`)
})

test('closes promptly while Redis is unreachable or hangs, and rejects waiting messages', needsRedis, async (t) => {
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    const { redis, one, other, publish } = await setUp(t)
    await redis.signal(signal)
    const waiting = publish('too late')
    const refused = t.rejects(waiting, { code: 'FST_TIME_SOCKET_BACKPLANE_CLOSED' })
    const startMs = performance.now()
    await Promise.all([one.close(), other.close()])
    t.ok(performance.now() - startMs < SOON_MS, signal)
    await refused
  }
})

test('on a real port, ends its connection at once even if Redis does not', needsRedis, async (t) => {
  const { redis, other, errors } = await setUp(t)
  const countSockets = () => {
    return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  }
  await redis.signal('SIGSTOP')
  const before = countSockets()
  await other.close()
  await waitFor(() => countSockets() < before, 'the end of the connection', SOON_MS)
  t.strictSame([countSockets() < before, errors], [true, []])
})

test('on a real port, rejects a subscription that is still waiting when the backplane is closed', needsRedis, async (t) => {
  const redis: RedisServer = await startRedis(t)
  await redis.signal('SIGKILL')
  const backplane = redisStreams(redis.connect())
  const refused = t.rejects(backplane.subscribe(() => {}, () => {}), {
    code: 'FST_TIME_SOCKET_BACKPLANE_CLOSED'
  })
  await backplane.close()
  await refused
})

test('on a real port, works with a client that has quit', needsRedis, async (t) => {
  const redis = await startRedis(t)
  const client = redis.connect()
  await client.quit()
  const backplane = redisStreams(client)
  t.teardown(() => backplane.close())
  const texts: string[] = []
  await backplane.subscribe((payload) => texts.push(String(payload)), () => {})
  await backplane.publish(Buffer.from('a'))
  await waitFor(() => texts.includes('a'), 'the message')
})

test('on a real port, subscribes any number of times without adding listeners', needsRedis, async (t) => {
  const { other } = await setUp(t)
  const warnings: Error[] = []
  const keep = (warning: Error) => warnings.push(warning)
  process.on('warning', keep)
  t.teardown(() => process.off('warning', keep))
  for (let count = 0; count < 20; count++) await other.subscribe(() => {}, () => {})
  await sleep(0)
  t.strictSame(warnings, [])
})

/** Something wrong with Redis, and what an error must say of it. */
const mistakes: [
  title: string, spoil: (redis: RedisServer, admin: Redis) => Promise<Settings>, text: RegExp
][] = [
  ['a wrong password', async (_redis, admin) => {
    await admin.config('SET', 'requirepass', 'right')
    return { password: 'wrong' }
  }, /WRONGPASS.*Check the user name and the password/],
  ['missing rights', async (_redis, admin) => {
    await admin.call('ACL', ['SETUSER', 'poor', 'on', '>secret', '~other', '+xadd', '+info'])
    return { username: 'poor', password: 'secret' }
  }, /NOPERM.*\+xadd \+xread \+xrevrange ~fastify-time-socket/],
  ['a key of another kind', async (_redis, admin) => {
    await admin.set(KEY, 'text')
    return {}
  }, /WRONGTYPE.*is used for something else/],
  ['a Redis that is not there', async (redis) => {
    await redis.signal('SIGKILL')
    return {}
  }, /ECONNREFUSED.*Check the host and the port/]
]

for (const [title, spoil, expected] of mistakes) {
  test(`on a real port, names cause and remedy of ${title}`, needsRedis, async (t) => {
    const redis = await startRedis(t)
    const settings = await spoil(redis, redis.connect())
    const backplane = redisStreams(redis.connect({ ...settings, lazyConnect: true }))
    t.teardown(() => backplane.close())
    const errors: string[] = []
    backplane.subscribe(() => {}, (err) => errors.push(String(err))).catch(() => {})
    backplane.publish(Buffer.from('a')).catch(() => {})
    await waitFor(() => errors.some((text) => expected.test(text)), `the error: ${errors.join()}`)
  })
}

test('on a real port, names cause and remedy of a broken cluster', needsRedis, async (t) => {
  const node = await startRedis(t, { settings: ['--cluster-enabled', 'yes'] })
  const admin = node.connect()
  await admin.cluster('ADDSLOTSRANGE', 0, 1)
  const backplane = redisStreams(node.connect())
  t.teardown(() => backplane.close())
  const errors: string[] = []
  backplane.subscribe(() => {}, (err) => errors.push(String(err))).catch(() => {})
  const isExplained = (text: string) => /CLUSTERDOWN.*No node of the cluster/.test(text)
  await waitFor(() => errors.some(isExplained), 'the error')
})

test('on a real port, works with only the rights that its error message names', needsRedis, async (t) => {
  const redis = await startRedis(t)
  const admin = redis.connect()
  await admin.call('ACL', ['SETUSER', 'least', 'on', '>secret', `~${KEY}`, '+xadd', '+xread', '+xrevrange'])
  const user = { username: 'least', password: 'secret' }
  const settings = { ...user, lazyConnect: true, enableReadyCheck: false }
  const backplane = redisStreams(redis.connect(settings))
  t.teardown(() => backplane.close())
  const texts: string[] = []
  await backplane.subscribe((payload) => texts.push(String(payload)), () => {})
  await backplane.publish(Buffer.from('a'))
  await waitFor(() => texts.includes('a'), 'the message')
})

test('on a real port, follows a failover that leaves connections open', needsRedis, async (t) => {
  const [old, young] = [await startRedis(t), await startRedis(t)]
  const proxy = await startSwitch(t, old.port)
  const settings = { port: proxy.port, lazyConnect: true }
  const [one, other] = [1, 2].map(() => redisStreams(old.connect(settings)))
  t.teardown(() => Promise.all([one?.close(), other?.close()]))
  const texts: string[] = []
  await other?.subscribe((payload) => texts.push(String(payload)), () => {})
  await one?.publish(Buffer.from('before'))
  await waitFor(() => texts.includes('before'), 'the message')
  // The address leads to the new primary, and what is connected to the old one stays so.
  proxy.leadTo(young.port)
  await old.connect().replicaof('127.0.0.1', young.port)
  const sent = Array.from({ length: 30 }, (_, index) => `after ${index}`)
  await Promise.all(sent.map((text) => one?.publish(Buffer.from(text))))
  await waitFor(() => texts.includes('after 29'), 'the last message')
  t.strictSame([...new Set(texts)], ['before', ...sent])
})

/** A port that leads to one server, and then to another, as a DNS name or virtual address does. */
async function startSwitch (t: Test, firstPort: number) {
  let target = firstPort
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    const upstream = connect(target, '127.0.0.1')
    sockets.push(socket, upstream)
    for (const [from, to] of [[socket, upstream], [upstream, socket]] as const) {
      from.pipe(to)
      from.on('error', () => {})
      from.on('close', () => to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, leadTo (port: number) { target = port } }
}
