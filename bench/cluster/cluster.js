import { setTimeout as wait } from 'node:timers/promises'
import { startPeer } from '../peer.js'
import { nowMs } from '../usage.js'
import { startRedis } from './redis.js'

const WARM_UP_MS = 1500
/** After so long without anything new, all has come, and what never will has been counted. */
const SETTLE_MS = 3000
const SETTLE_LIMIT_MS = 60_000
const READY_LIMIT_MS = 30_000

/**
 * Starts servers that share a Redis, each with its clients, in processes of their own.
 *
 * @param {object} settings
 * @param {string} settings.file of the contender.
 * @param {number} settings.serverCount
 * @param {number} settings.clientCount of each.
 * @param {boolean} [settings.keepsData]
 * @param {number} [settings.delayMs] how much longer a round trip from a server to Redis takes.
 */
export async function startCluster ({ file, serverCount, clientCount, keepsData, delayMs = 0 }) {
  const redis = await startRedis({ keepsData })
  const servers = Array.from({ length: serverCount }, () => startPeer('cluster/instance.js'))
  const distance = delayMs > 0 ? startPeer('cluster/distance.js') : undefined

  async function stop () {
    for (const peer of [...servers, distance]) peer?.stop()
    await redis.stop()
  }

  try {
    const { port } = redis
    const redisPort = await distance?.call('start', { port, oneWayMs: delayMs / 2 }) ?? port
    await Promise.all(servers.map((server, index) => {
      return server.call('start', { file, redisPort, clientCount, index })
    }))
    // Until each has heard of each: some subscribe a little later than they say.
    const endMs = nowMs() + READY_LIMIT_MS
    do {
      if (nowMs() > endMs) throw new Error(`${file}: the servers never heard of each other`)
      await Promise.all(servers.map((server) => server.call('send', { bytes: 0 })))
      await wait(100)
    } while (!(await areReady(servers)))
  } catch (err) {
    await stop()
    throw err
  }
  return { redis, servers, stop }
}

async function areReady (servers) {
  const counts = await Promise.all(servers.map((server) => server.call('ready')))
  return counts.every((count) => count === servers.length)
}

/** Runs one fault under traffic. @returns what each server reports; undefined if it died. */
export async function runFault (fault, settings) {
  const { perSecond, rounds, serverCount, publisherCount = serverCount, ...others } = {
    ...settings, ...fault
  }
  const cluster = await startCluster({ serverCount, ...others })
  const { redis, servers, stop } = cluster
  const alive = new Set(servers)
  const recoveries = []
  try {
    // What is still on its way would count as received, but not as sent.
    await settle(alive)
    const before = await Promise.all(servers.map((server) => server.call('report')))
    const share = { perSecond: perSecond / publisherCount }
    const publishers = servers.slice(0, publisherCount)
    await Promise.all(publishers.map((server) => server.call('run', share)))
    await wait(WARM_UP_MS)
    const backs = []
    await fault.run({
      redis,
      servers,
      rounds,
      onBack: () => backs.push(nowMs()),
      killServer () {
        servers[0].stop()
        alive.delete(servers[0])
      }
    })
    await callAll(alive, 'halt')
    await settle(alive)
    for (const ms of backs) {
      const firsts = await callAll(alive, 'firstAfter', { ms })
      recoveries.push(...firsts.map((first) => (first ?? Infinity) - ms))
    }
    const after = await Promise.all(servers.map((server) => {
      return alive.has(server) ? server.call('report').catch(() => undefined) : undefined
    }))
    return { before, after, recoveryMs: Math.max(0, ...recoveries) }
  } finally {
    await stop()
  }
}

async function settle (servers) {
  const endMs = nowMs() + SETTLE_LIMIT_MS
  let before
  let now = ''
  while (before !== now && nowMs() < endMs) {
    before = now
    await wait(SETTLE_MS)
    now = JSON.stringify(await callAll(servers, 'books'))
  }
}

/** Of those that are still there. */
async function callAll (servers, name, argument) {
  const calls = [...servers].map((server) => server.call(name, argument))
  const answers = await Promise.allSettled(calls)
  return answers.flatMap(({ status, value }) => status === 'fulfilled' ? [value] : [])
}
