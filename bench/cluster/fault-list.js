import { setTimeout as wait } from 'node:timers/promises'

/**
 * What is done to a cluster under traffic.
 *
 * @typedef {object} Fault
 * @property {string} name for `--only`.
 * @property {string} title
 * @property {boolean} [keepsData] whether Redis has all it took on disk.
 * @property {boolean} [losesNothing] whether Redis could keep every message.
 * @property {number} [clientCount] of each server, where it is not the usual.
 * @property {number} [serverCount] likewise.
 * @property {number} [publisherCount] the servers that broadcast, where these are not all.
 * @property {number} [perSecond] broadcasts of all servers together, where it is not the usual.
 * @property {(cluster: object) => Promise<void>} run resolves when it is over.
 */

/** How long Redis is away. */
const OUTAGE_MS = 1500
/** What traffic runs before, between and after faults. */
const CALM_MS = 2500
const STOP_MS = 5000
const STALL_MS = 8000
/** In which a server that stalled must catch up. */
const CATCH_UP_MS = 5000
const LARGE_BYTES = 10 * 2 ** 20

async function killAndRestart ({ redis, rounds, onBack }) {
  for (let round = 0; round < rounds; round++) {
    await redis.kill()
    await wait(OUTAGE_MS)
    await redis.restart()
    onBack()
    await wait(CALM_MS)
  }
}

/** Something that commands to Redis begin and end. */
function refusal (begin, end) {
  return async ({ redis, onBack }) => {
    await begin(redis.admin)
    await wait(OUTAGE_MS)
    await end(redis.admin)
    onBack()
    await wait(CALM_MS)
  }
}

const set = (name, value) => (admin) => admin.config('SET', name, value)
const killClients = (admin) => admin.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])

/** @type {Fault[]} */
export const FAULTS = [
  { name: 'none', title: 'none', run: () => wait(CALM_MS) },
  { name: 'kill', title: 'kill -9 and restart of Redis, which keeps nothing', run: killAndRestart },
  {
    name: 'kill-aof',
    title: 'the same, with appendonly and appendfsync always',
    keepsData: true,
    losesNothing: true,
    run: killAndRestart
  },
  {
    name: 'stop',
    title: `SIGSTOP of Redis for ${STOP_MS / 1000} s`,
    async run ({ redis, onBack }) {
      redis.signal('SIGSTOP')
      await wait(STOP_MS)
      redis.signal('SIGCONT')
      onBack()
      await wait(CALM_MS)
    }
  },
  { name: 'client-kill', title: 'CLIENT KILL of all', run: refusal(killClients, async () => {}) },
  {
    name: 'password',
    title: 'a password that has become wrong',
    run: refusal(async (admin) => {
      await admin.config('SET', 'requirepass', 'another')
      await killClients(admin)
    }, set('requirepass', ''))
  },
  { name: 'oom', title: 'OOM answers', run: refusal(set('maxmemory', '1'), set('maxmemory', '0')) },
  {
    name: 'misconf',
    title: 'MISCONF answers',
    run: refusal(async (admin) => {
      await admin.config('SET', 'dbfilename', 'taken')
      await admin.config('SET', 'save', '3600 1')
      await admin.bgsave()
    }, set('stop-writes-on-bgsave-error', 'no'))
  },
  {
    name: 'stall',
    title: `a receiver that stalls for ${STALL_MS / 1000} s at 5000 broadcasts a second, to 1 client`,
    losesNothing: true,
    clientCount: 1,
    serverCount: 2,
    publisherCount: 1,
    perSecond: 5000,
    async run ({ servers }) {
      await servers[1].call('stall', { ms: STALL_MS })
      await wait(CATCH_UP_MS)
    }
  },
  {
    name: 'large',
    title: 'a message of 10 MB from each server, to 5 clients of each',
    clientCount: 5,
    async run ({ servers }) {
      for (const server of servers) await server.call('send', { bytes: LARGE_BYTES })
      await wait(CALM_MS)
    }
  },
  {
    name: 'server',
    title: 'kill -9 of one of three servers',
    serverCount: 3,
    async run ({ killServer }) {
      killServer()
      await wait(CALM_MS)
    }
  }
]
