import { parseArgs } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { describeMachine, formatMachine } from '../machine.js'
import { startCluster } from './cluster.js'

/** What a second of traffic is, from low to more than anybody can take. */
const RATES = [100, 1000, 2000, 5000, 10_000]
const RUN_MS = 3000
const SETTLE_MS = 1000

const { values } = parseArgs({
  options: {
    contenders: { type: 'string', default: 'ours,socket-io' },
    servers: { type: 'string', default: '2,4' },
    clients: { type: 'string', default: '1' },
    rates: { type: 'string', default: RATES.join() }
  }
})

console.log(formatMachine(describeMachine()))
console.log(`${values.clients} client of each server; delays from the call of broadcast to a ` +
  'client of another server\n')
console.log('| contender | servers | asked for per s | arrived per s | p50 ms | p99 ms |')
console.log('|---|---|---|---|---|---|')
for (const serverCount of values.servers.split(',').map(Number)) {
  for (const contender of values.contenders.split(',')) {
    for (const rate of values.rates.split(',').map(Number)) {
      console.log(await measure(contender, serverCount, rate))
    }
  }
}

/** All servers together broadcast so many a second. @returns a line of the table. */
async function measure (contender, serverCount, rate) {
  const clientCount = Number(values.clients)
  const cluster = await startCluster({ file: `${contender}.js`, serverCount, clientCount })
  const { servers, stop } = cluster
  const callAll = (name, argument) => {
    return Promise.all(servers.map((server) => server.call(name, argument)))
  }
  try {
    const before = await callAll('report')
    await callAll('run', { perSecond: rate / serverCount })
    await wait(RUN_MS)
    await callAll('halt')
    const after = await callAll('report')
    await wait(SETTLE_MS)
    const delays = after.flatMap(({ delays }, index) => delays.slice(before[index].delays.length))
      .sort((one, other) => one - other)
    const perSecond = delays.length / (serverCount - 1) / (RUN_MS / 1000)
    const at = (share) => delays[Math.floor(share * (delays.length - 1))]?.toFixed(1) ?? '–'
    return `| ${contender} | ${serverCount} | ${rate} | ${Math.round(perSecond)} | ` +
      `${at(0.5)} | ${at(0.99)} |`
  } finally {
    await stop()
  }
}
