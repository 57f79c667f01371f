import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { describeMachine, formatMachine } from '../machine.js'
import { balance, broken } from './books.js'
import { runFault } from './cluster.js'
import { FAULTS } from './fault-list.js'

const USAGE = `node bench/cluster/faults.js [options]
  --only A,B         only these faults: ${FAULTS.map(({ name }) => name).join(', ')}
  --contenders A,B   only these: ours, socket-io, mqemitter-redis (ours)
  --servers N        servers (2)
  --clients N        clients of each (50)
  --per-second N     broadcasts of all servers together (100)
  --rounds N         how often Redis is killed (3)
  --max-recovery MS  how long a recovery may take (5000)
  --json FILE        write all sums
  --help             this text`

const TITLES = {
  ours: 'fastify-time-socket', 'socket-io': 'socket.io', 'mqemitter-redis': 'mqemitter-redis'
}
const COLUMNS = ['sent', 'lost', 'counted', 'localLost', 'duplicates', 'disorders', 'missedTicks']

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: FAULTS.map(({ name }) => name).join() },
    contenders: { type: 'string', default: 'ours' },
    servers: { type: 'string', default: '2' },
    clients: { type: 'string', default: '50' },
    'per-second': { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    'max-recovery': { type: 'string', default: '5000' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) console.log(USAGE)
else await main()

/** Puts each contender through each fault, prints a table, and fails if ours breaks a promise. */
async function main () {
  const settings = {
    serverCount: Number(values.servers),
    clientCount: Number(values.clients),
    perSecond: Number(values['per-second']),
    rounds: Number(values.rounds),
    maxRecoveryMs: Number(values['max-recovery'])
  }
  console.log(formatMachine(describeMachine()))
  console.log(`${settings.serverCount} servers, ${settings.clientCount} clients each, ` +
    `${settings.perSecond} broadcasts a second, ${settings.rounds} kills\n`)
  console.log(row(['fault', 'contender', ...COLUMNS, 'recovery ms', 'died']))
  console.log(row(Array(COLUMNS.length + 4).fill('---')))
  const results = []
  for (const name of values.only.split(',')) {
    const fault = FAULTS.find((fault) => fault.name === name)
    for (const contender of values.contenders.split(',')) {
      results.push(await measure(fault, contender, settings))
    }
  }
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(results, null, 2) + '\n')
  for (const { fault, problems } of results) {
    for (const problem of problems) console.error(`${fault}: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
  }
}

async function measure (fault, contender, { maxRecoveryMs, ...settings }) {
  const { name, title, losesNothing } = fault
  try {
    const sums = balance(await runFault(fault, { ...settings, file: `${contender}.js` }))
    const cells = COLUMNS.map((column) => sums[column] ?? '–')
    console.log(row([title, TITLES[contender], ...cells, Math.round(sums.recoveryMs), sums.died]))
    const deaths = name === 'server' ? 1 : 0
    const problems = contender === 'ours' ? broken(sums, { losesNothing, deaths, maxRecoveryMs }) : []
    return { fault: name, contender, sums, problems }
  } catch (err) {
    console.log(row([title, TITLES[contender], err.message]))
    return { fault: name, contender, problems: contender === 'ours' ? [err.message] : [] }
  }
}

function row (cells) {
  return `| ${cells.join(' | ')} |`
}
