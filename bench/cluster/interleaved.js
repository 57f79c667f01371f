import { setTimeout as wait } from 'node:timers/promises'
import { describeMachine, formatMachine } from '../machine.js'
import { runProgram } from '../program.js'
import { createRandom, quartiles, shuffle } from '../statistics.js'
import { startCluster } from './cluster.js'

const USAGE = `node bench/cluster/interleaved.js [options]
  --contenders A,B   ours, socket-io; ratios are to the last (ours,socket-io)
  --servers N        servers with a client each (2)
  --publishers N     how many of them broadcast (all): with fewer, their CPU is separate
  --delay MS         how much longer a round trip from a server to Redis takes (0)
  --rates N,M        broadcasts per second of all servers together (1000,5000,10000)
  --bytes N,M        bytes of each broadcast, besides about 20 (0)
  --rounds N         measured rounds (6)
  --turn MS          how long a turn takes (2000)
  --help             this text`

/** Until then, servers of this plugin write the format that earlier versions read. */
const WARM_UP_MS = 14_000
/** After so long without anything new, all has come. */
const SETTLE_MS = 300
/** Traffic before the first turn, so that V8 has compiled what all turns use. */
const REHEARSAL = { perSecond: 5000, bytes: 0, turnMs: 3000 }
const COLUMNS = ['arrived', 'p50 ms', 'p99 ms', 'publishers µs', 'receivers µs', 'Redis µs']
const RATIOS = ['p50', 'p99', 'CPU']

runProgram({
  usage: USAGE,
  options: {
    contenders: { type: 'string', default: 'ours,socket-io' },
    servers: { type: 'string', default: '2' },
    publishers: { type: 'string' },
    delay: { type: 'string', default: '0' },
    rates: { type: 'string', default: '1000,5000,10000' },
    bytes: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '6' },
    turn: { type: 'string', default: '2000' }
  },
  main
})

/** Lets all contenders take turns, and prints a table. */
async function main (values) {
  const names = values.contenders.split(',')
  const [serverCount, delayMs, rounds, turnMs] =
    [values.servers, values.delay, values.rounds, values.turn].map(Number)
  const settings = { rounds, turnMs, publisherCount: Number(values.publishers ?? serverCount) }
  console.log(formatMachine(describeMachine()))
  console.log(`${serverCount} servers with a client each, of which ${settings.publisherCount} ` +
    `broadcast; turns of ${turnMs} ms in changing order; ratios to ${names.at(-1)} in each of ` +
    `${rounds} rounds, median [quartiles]; delays from when a message was due; CPU per message ` +
    'of all publishers, all other servers (with their clients), and Redis')
  const clusters = new Map()
  try {
    for (const name of names) {
      const cluster = await startCluster({
        file: `${name}.js`, serverCount, clientCount: 1, delayMs
      })
      clusters.set(name, cluster)
    }
    if (delayMs > 0) console.log(`Redis is ${delayMs} ms further away, there and back`)
    await wait(WARM_UP_MS)
    for (const cluster of clusters.values()) await takeTurn(cluster, { ...settings, ...REHEARSAL })
    console.log(`\n${row(['bytes', 'per s', 'contender', ...COLUMNS, ...RATIOS])}`)
    console.log(row(Array(3 + COLUMNS.length + RATIOS.length).fill('---')))
    for (const bytes of values.bytes.split(',').map(Number)) {
      for (const perSecond of values.rates.split(',').map(Number)) {
        const rows = await compare(clusters, { ...settings, perSecond, bytes })
        for (const cells of rows) console.log(row([bytes, perSecond, ...cells]))
      }
    }
  } finally {
    for (const { stop } of clusters.values()) await stop()
  }
}

/** All contenders have a turn in each round, the first of which is not counted. */
async function compare (clusters, { rounds, ...settings }) {
  const random = createRandom(1)
  const names = [...clusters.keys()]
  const taken = new Map(names.map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const name of shuffle(names, random)) {
      const result = await takeTurn(clusters.get(name), settings)
      if (round >= 0) taken.get(name).push(result)
    }
  }
  const base = taken.get(names.at(-1))
  return names.map((name) => {
    const results = taken.get(name)
    const medians = COLUMNS.map((key) => {
      return quartiles(results.map((result) => result[key])).median.toFixed(2)
    })
    const ratios = RATIOS.map((key) => {
      const perRound = results.map((result, round) => result[key] / base[round][key])
      const { q1, median, q3 } = quartiles(perRound)
      return `${median.toFixed(2)} [${q1.toFixed(2)}–${q3.toFixed(2)}]`
    })
    return [name, ...medians, ...ratios]
  })
}

async function takeTurn ({ redis, servers }, { perSecond, bytes, turnMs, publisherCount }) {
  const publishers = servers.slice(0, publisherCount)
  await callAll(servers, 'takeDelays')
  const before = await measureUsage(redis, servers)
  await callAll(publishers, 'run', { perSecond: perSecond / publisherCount, bytes })
  await wait(turnMs)
  await callAll(publishers, 'halt')
  await settle(servers)
  const after = await measureUsage(redis, servers)
  const delays = (await callAll(servers, 'takeDelays')).flat().sort((one, other) => one - other)
  const at = (share) => delays[Math.floor(share * (delays.length - 1))]
  const sentCount = sum(after.sentCounts) - sum(before.sentCounts)
  const micros = after.micros.map((value, index) => (value - before.micros[index]) / sentCount)
  return {
    arrived: delays.length / (sentCount * (servers.length - 1)),
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'publishers µs': sum(micros.slice(1, 1 + publisherCount)),
    'receivers µs': sum(micros.slice(1 + publisherCount)),
    'Redis µs': micros[0],
    p50: at(0.5),
    p99: at(0.99),
    CPU: sum(micros)
  }
}

/** Waits until nothing more comes. */
async function settle (servers) {
  let before
  for (;;) {
    const all = await callAll(servers, 'progress')
    const now = all.map(({ received }) => Object.values(received).join()).join()
    if (now === before) return
    before = now
    await wait(SETTLE_MS)
  }
}

/** How many messages each server has sent, and the CPU of Redis and of each server. */
async function measureUsage (redis, servers) {
  const all = await callAll(servers, 'progress')
  const info = await redis.admin.info('cpu')
  const seconds = ['used_cpu_sys', 'used_cpu_user'].map((name) => {
    return Number(new RegExp(`^${name}:(.*)`, 'm').exec(info)?.[1])
  })
  const micros = [sum(seconds) * 1e6, ...all.map(({ cpuMicros }) => cpuMicros)]
  return { micros, sentCounts: all.map(({ sentCount }) => sentCount) }
}

function callAll (servers, name, argument) {
  return Promise.all(servers.map((server) => server.call(name, argument)))
}

function sum (values) {
  return values.reduce((total, value) => total + value, 0)
}

function row (cells) {
  return `| ${cells.join(' | ')} |`
}
