import { parseArgs } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { describeMachine, formatMachine } from '../machine.js'
import { createRandom, quartiles, shuffle } from '../statistics.js'
import { startCluster } from './cluster.js'

/** Until then, servers of this plugin write the format that earlier versions read. */
const WARM_UP_MS = 14_000
/** After so long without anything new, all has come. */
const SETTLE_MS = 300

const { values } = parseArgs({
  options: {
    contenders: { type: 'string', default: 'ours,socket-io' },
    servers: { type: 'string', default: '2' },
    rates: { type: 'string', default: '1000,5000,10000' },
    bytes: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '6' },
    turn: { type: 'string', default: '2000' }
  }
})
const serverCount = Number(values.servers)
const turnMs = Number(values.turn)
const random = createRandom(1)
const names = values.contenders.split(',')
const [, last = ''] = names

console.log(formatMachine(describeMachine()))
console.log(`${serverCount} servers with a client each; turns of ${turnMs} ms in changing order; ` +
  `ratios to ${last} in each of ${values.rounds} rounds, median [quartiles]; delays from when a ` +
  'message was due; CPU of all servers, their clients and Redis\n')
const clusters = new Map()
try {
  for (const name of names) {
    clusters.set(name, await startCluster({ file: `${name}.js`, serverCount, clientCount: 1 }))
  }
  await wait(WARM_UP_MS)
  console.log('| bytes | per s | contender | arrived | p50 ms | p99 ms | CPU µs | p50 | p99 | CPU |')
  console.log('|---|---|---|---|---|---|---|---|---|---|')
  for (const bytes of values.bytes.split(',').map(Number)) {
    for (const perSecond of values.rates.split(',').map(Number)) await compare(perSecond, bytes)
  }
} finally {
  for (const { stop } of clusters.values()) await stop()
}

/** All contenders have a turn in each round, the first of which is not counted. */
async function compare (perSecond, bytes) {
  const taken = new Map(names.map((name) => [name, []]))
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const name of shuffle(names, random)) {
      const result = await takeTurn(clusters.get(name), perSecond, bytes)
      if (round >= 0) taken.get(name).push(result)
    }
  }
  const base = taken.get(last)
  for (const name of names) {
    const results = taken.get(name)
    const medians = ['share', 'p50', 'p99', 'cpu'].map((key) => {
      return quartiles(results.map((result) => result[key])).median.toFixed(2)
    })
    const ratios = ['p50', 'p99', 'cpu'].map((key) => {
      const perRound = results.map((result, round) => result[key] / base[round][key])
      const { q1, median, q3 } = quartiles(perRound)
      return `${median.toFixed(2)} [${q1.toFixed(2)}, ${q3.toFixed(2)}]`
    })
    const label = [bytes, perSecond, name]
    console.log(`| ${[...label, ...medians, ...ratios].join(' | ')} |`)
  }
}

async function takeTurn ({ redis, servers }, perSecond, bytes) {
  const callAll = (name, argument) => {
    return Promise.all(servers.map((server) => server.call(name, argument)))
  }
  await callAll('takeDelays')
  const before = await measureCpu(redis, callAll)
  await callAll('run', { perSecond: perSecond / serverCount, bytes })
  await wait(turnMs)
  await callAll('halt')
  await settle(callAll)
  const after = await measureCpu(redis, callAll)
  const delays = (await callAll('takeDelays')).flat().sort((one, other) => one - other)
  const at = (share) => delays[Math.floor(share * (delays.length - 1))]
  const sentCount = after.sentCount - before.sentCount
  const share = delays.length / (sentCount * (serverCount - 1))
  return { p50: at(0.5), p99: at(0.99), cpu: (after.micros - before.micros) / sentCount, share }
}

/** Waits until nothing more comes. */
async function settle (callAll) {
  let before
  for (;;) {
    const all = await callAll('progress')
    const now = all.map(({ received }) => Object.values(received).join()).join()
    if (now === before) return
    before = now
    await wait(SETTLE_MS)
  }
}

async function measureCpu (redis, callAll) {
  const all = await callAll('progress')
  const info = await redis.admin.info('cpu')
  const seconds = ['used_cpu_sys', 'used_cpu_user'].map((name) => {
    return Number(new RegExp(`^${name}:(.*)`, 'm').exec(info)?.[1])
  })
  const sum = (key) => all.reduce((total, one) => total + one[key], 0)
  return { micros: sum('cpuMicros') + (seconds[0] + seconds[1]) * 1e6, sentCount: sum('sentCount') }
}
