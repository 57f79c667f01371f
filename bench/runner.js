import { setTimeout as wait } from 'node:timers/promises'
import { startPeer } from './peer.js'

/** More clients than this of one address, and the ephemeral ports run out. */
const CLIENTS_PER_ADDRESS = 25_000
const POLL_MS = 10
/** What is still on its way when all are connected, such as a greeting, has come by then. */
const SETTLE_MS = 200
const DEADLINE_MS = 30_000

/**
 * What is the same for all contenders.
 *
 * @typedef {object} RunSettings
 * @property {number} clientCount how many clients each gets.
 * @property {number} intervalMs of the timers of a contender that has one per client.
 * @property {string} plugin the URL of the built plugin's entry.
 */

/**
 * One contender in its process, with its clients in theirs.
 *
 * @param {import('./contenders.js').Contender} contender
 * @param {RunSettings} settings
 */
export async function startRunner (contender, { clientCount, intervalMs, plugin }) {
  const { file, wire, loads: loadCount = 1 } = contender
  const hosts = addressesFor(clientCount)
  const server = startPeer('server-process.js')
  const loads = Array.from({ length: loadCount }, () => startPeer('load-process.js'))
  const host = hosts.length === 1 ? hosts[0] : '0.0.0.0'
  /** Messages sent to each client since the last connect. */
  let sentCount = 0
  let seq = 0

  function stop () {
    for (const peer of [server, ...loads]) peer.stop()
  }

  const target = await server.call('start', {
    file, host, intervalMs, plugin, ...contender.settings
  }).catch((err) => {
    stop()
    throw err
  })

  function callLoads (name, argument) {
    return Promise.all(loads.map((load) => load.call(name, argument)))
  }

  async function waitForCount (count) {
    const endMs = Date.now() + DEADLINE_MS
    while (await server.call('count') !== count) {
      if (Date.now() > endMs) throw new Error(`${contender.name}: never had ${count} clients`)
      await wait(POLL_MS)
    }
  }

  return {
    contender,
    server,
    stop,

    /** Connects all clients, or so many. @returns what that took the server. */
    async connect (count = clientCount) {
      const beforeMicros = await server.call('cpuMicros')
      const tookMs = await Promise.all(loads.map((load, index) => load.call('connect', {
        target: { wire, hosts, ...target },
        count: shareOf(count, index, loads.length)
      })))
      await waitForCount(count)
      const micros = await server.call('cpuMicros') - beforeMicros
      await wait(SETTLE_MS)
      await callLoads('reset')
      sentCount = 0
      return { perSecond: count / Math.max(...tookMs) * 1000, micros: micros / count }
    },

    async disconnect () {
      await callLoads('disconnect')
      await waitForCount(0)
    },

    /**
     * Sends one message to all and waits until all have it.
     *
     * @param {string} [way] for a contender that has several.
     * @returns {Promise<number>} milliseconds until the last one had it.
     */
    async fanOut (way) {
      sentCount++
      const received = loads.map((load, index) => load.call('receive', {
        count: sentCount * shareOf(clientCount, index, loads.length)
      }))
      const startedMs = await server.call('fanOut', { seq: ++seq, way })
      const timeout = new AbortController()
      const lastMs = await Promise.race([Promise.all(received), failLater(timeout.signal)])
      timeout.abort()
      return Math.max(...lastMs) - startedMs
    },

    /** @throws {Error} unless each client has got each message once, and nothing else. */
    async assertDelivered () {
      for (const { count, bytes } of await callLoads('delivered')) {
        const isExact = count.every((value) => value === sentCount) && bytes[0] === bytes[1]
        if (isExact) continue
        throw new Error(`${contender.name}: sent ${sentCount} messages to each client, of which ` +
          `they got ${count.join(' to ')} (${bytes.join(' to ')} bytes)`)
      }
    },

    /** The counters of the processes of the clients, summed. */
    async loadUsage () {
      const usages = await callLoads('usage')
      const sum = (name) => usages.reduce((total, usage) => total + usage[name], 0)
      return { cpuMs: sum('cpuMicros') / 1000, activeMs: sum('activeMs'), allMs: sum('atMs') }
    }
  }

  async function failLater (signal) {
    await wait(DEADLINE_MS + intervalMs, undefined, { signal })
    const counts = await callLoads('receivedCount')
    throw new Error(`${contender.name}: message ${sentCount} did not reach everybody; ` +
      `received so far: ${counts.join(' + ')} of ${sentCount * clientCount}`)
  }
}

/** How much of `count` falls to the one of so many with this index. */
function shareOf (count, index, parts) {
  return Math.floor(count * (index + 1) / parts) - Math.floor(count * index / parts)
}

function addressesFor (clientCount) {
  const length = Math.ceil(clientCount / CLIENTS_PER_ADDRESS)
  return Array.from({ length }, (_, index) => `127.0.0.${index + 1}`)
}
