import { setTimeout as sleep } from 'node:timers/promises'
import { missingPackage, versionOf } from './contenders.js'
import { describeMachine, formatMachine } from './machine.js'
import { startPeer } from './peer.js'
import { runProgram } from './program.js'
import { createProgress } from './progress.js'
import { quartiles } from './statistics.js'

const USAGE = `node bench/server-cost.js [options]
  --clients N   clients of the server (1000)
  --rounds N    measured rounds of each kind (5)
  --seconds N   how long the exchanges of a round take (2)
  --json        print the figures as JSON
  --help        this text`

const HOST = '127.0.0.1'
const PLUGIN = new URL('../dist/index.js', import.meta.url).href
const NEVER_MS = 86_400_000
const TICK_MS = 1000
const TICKS_PER_ROUND = 2
const PROBES_PER_MINUTE = 3

runProgram({
  usage: USAGE,
  options: {
    clients: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false }
  },
  main
})

/** Measures what keeping clients' clocks costs a server; README.md says how. */
async function main (values) {
  const [clientCount, rounds, seconds] = [values.clients, values.rounds, values.seconds].map(Number)
  const progress = createProgress()
  progress.show(`${clientCount} clients, exchanges`)
  const sync = await withServer({ clientCount }, (peers) => {
    return measureTransport(peers, { kind: 'sync', clientCount, rounds, seconds })
  })
  const measureHttp = (file, kind) => withServer({ file, clientCount: 0 }, async (peers) => {
    const { host, port } = peers
    await peers.clients.call('connectHttp', { host, port, count: clientCount })
    return await measureTransport(peers, { kind, clientCount, rounds, seconds })
  })
  progress.show(`${clientCount} clients, exchanges by HTTP`)
  const http = await measureHttp('time-v1.js', 'get')
  progress.show(`${clientCount} clients of timesync`)
  const timesync = missingPackage({ needs: ['timesync'] }) === undefined
    ? await measureHttp('timesync.js', 'post')
    : undefined
  progress.show(`${clientCount} clients, ticks`)
  const tick = await withServer({ intervalMs: TICK_MS, clientCount }, (peers) => {
    return repeat(rounds, () => measureTicks(peers, clientCount))
  })
  progress.clear()
  const machine = describeMachine()
  const figures = { sync, http, timesync, tick }
  if (values.json) return console.log(JSON.stringify({ machine, clientCount, ...figures }, null, 2))
  console.log(`${formatMachine(machine)}\n${formatCost(figures)}`)
}

/** Starts a server and its clients, each in a process of its own, for as long as `use` takes. */
async function withServer ({ file = 'time-v1.js', intervalMs = NEVER_MS, clientCount }, use) {
  const peers = { server: startPeer('server-process.js'), clients: startPeer('sync-process.js') }
  try {
    const settings = { file, host: HOST, plugin: PLUGIN, intervalMs }
    const { port, path } = await peers.server.call('start', settings)
    await peers.clients.call('connect', { host: HOST, port, path, count: clientCount })
    return await use({ ...peers, host: HOST, port, path })
  } finally {
    for (const peer of Object.values(peers)) peer.stop()
  }
}

/** The first round does not count. */
async function repeat (rounds, measure) {
  const figures = []
  for (let round = 0; round <= rounds; round++) figures.push(await measure())
  return quartiles(figures.slice(1))
}

/** The CPU and the bytes of one exchange. */
async function measureTransport (peers, { kind, clientCount, rounds, seconds }) {
  const { clients, path } = peers
  const asking = { perSecond: clientCount, kind, path }
  const bytes = await clients.call('ask', { count: clientCount, ...asking })
  return { bytes, ...await repeat(rounds, () => measureExchanges(peers, asking, seconds)) }
}

/** @returns microseconds of the server's CPU for one exchange, minus what it uses when idle. */
async function measureExchanges ({ server, clients }, asking, seconds) {
  const idle = await cpuDuring(server, () => sleep(seconds * 1000))
  const count = Math.max(1, Math.round(asking.perSecond * seconds))
  const busy = await cpuDuring(server, () => clients.call('ask', { count, ...asking }))
  return (busy - idle) / count
}

/** @returns microseconds of the server's CPU for one tick of one client. */
async function measureTicks ({ server, clients }, clientCount) {
  const count = TICKS_PER_ROUND * clientCount
  await clients.call('receiveTicks', { count: 1 })
  await sleep(TICK_MS / 2)
  const busy = await cpuDuring(server, () => clients.call('receiveTicks', { count }))
  return busy / count
}

async function cpuDuring (server, act) {
  const before = await server.call('cpuMicros')
  await act()
  return await server.call('cpuMicros') - before
}

/** The figures, and what they come to for many clients. */
function formatCost ({ sync, http, timesync, tick }) {
  const costs = [
    ['a tick for one client', tick],
    ['an exchange over the WebSocket', sync],
    ['an exchange over HTTP', http],
    [`the same, of timesync ${versionOf('timesync')}`, timesync]
  ].filter(([, cost]) => cost !== undefined)
  const perSecond = PROBES_PER_MINUTE / 60
  const rows = [
    ['ticks every second', tick.median],
    ['ticks every 5 s', tick.median / 5],
    ['sync only, 3 probes a minute', sync.median * perSecond],
    ['HTTP, 3 requests a minute', http.median * perSecond]
  ]
  return [
    '| | CPU | quartiles | bytes |',
    '|---|---|---|---|',
    ...costs.map(([name, { median, q1, q3, bytes }]) => {
      const size = bytes === undefined ? '' : Math.round(bytes)
      return `| ${name} | ${median.toFixed(1)} µs | ${q1.toFixed(1)}–${q3.toFixed(1)} | ${size} |`
    }),
    '',
    '| | 10,000 clients | 1,000,000 clients |',
    '|---|---|---|',
    ...rows.map(([name, micros]) => `| ${name} | ${cores(micros, 1e4)} | ${cores(micros, 1e6)} |`)
  ].join('\n')
}

function cores (microsPerSecond, clientCount) {
  const share = microsPerSecond * clientCount / 1e6
  return share < 1 ? `${(share * 100).toFixed(1)} % of a core` : `${share.toFixed(1)} cores`
}
