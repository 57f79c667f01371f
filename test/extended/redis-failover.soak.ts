import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import { test } from 'tap'
import { redisStreams } from '../../src/cluster/redis/index.js'
import type { RedisClient } from '../../src/cluster/redis/index.js'
import { waitFor } from '../helpers/network/wait.js'
import { needsRedis, startRedisCluster, startRedisSentinels } from '../helpers/programs/redis.js'

const LIMIT_MS = 120_000
/** Redis is away for a while: messages are given up later than that. */
const OPTIONS = { key: 'key', maxQueueAge: 60_000 }
const MESSAGE_COUNT = 300

type Test = Parameters<typeof startRedisSentinels>[0]

/** Publishes while the primary is killed. @returns what was sent, and what has come. */
async function publishOverFailover (
  t: Test, client: RedisClient, kill: () => Promise<void>
): Promise<{ sent: string[], texts: string[] }> {
  const [one, other] = [redisStreams(client, OPTIONS), redisStreams(client, OPTIONS)]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  const texts: string[] = []
  await other.subscribe((payload) => texts.push(String(payload)), () => {})
  await one.publish(Buffer.from('before'))
  await waitFor(() => texts.includes('before'), 'the message')
  await kill()
  const sent = Array.from({ length: MESSAGE_COUNT }, (_, index) => `after ${index}`)
  const published = sent.map(async (text, index) => {
    await sleep(10 * index)
    await one.publish(Buffer.from(text))
  })
  await Promise.all(published)
  await waitFor(() => texts.includes(`after ${MESSAGE_COUNT - 1}`), 'the last message', LIMIT_MS)
  return { sent, texts: [...new Set(texts)].slice(1) }
}

test('redisStreams loses nothing that is sent when the primary of its sentinels is killed', {
  ...needsRedis, timeout: LIMIT_MS
}, async (t) => {
  const { ports, name, killPrimary } = await startRedisSentinels(t)
  const client = new Redis({ sentinels: ports.map((port) => ({ host: '127.0.0.1', port })), name })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  const { sent, texts } = await publishOverFailover(t, client, killPrimary)
  t.strictSame(texts, sent)
})

test('redisStreams loses nothing that is sent when the owner of its slot is killed', {
  ...needsRedis, timeout: LIMIT_MS
}, async (t) => {
  const { findOwner, kill } = await startRedisCluster(t)
  const port = await findOwner(OPTIONS.key)
  // The application has named no other node than the one that is killed.
  const client = new Cluster([{ host: '127.0.0.1', port }])
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  const { sent, texts } = await publishOverFailover(t, client, () => kill(port))
  t.strictSame(texts, sent)
})
