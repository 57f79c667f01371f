import { describeMachine, formatMachine } from './machine.js'
import { startPeer } from './peer.js'
import { runProgram } from './program.js'
import { createProgress } from './progress.js'
import { measureCpu } from './rounds.js'
import { startRunner } from './runner.js'
import { createRandom, quartiles, shuffle } from './statistics.js'

const USAGE = `node bench/growth.js [options]
  --clients N        clients of each server (10000)
  --registrations N  of the larger server (100)
  --scheduled N      pending scheduled messages (1000)
  --rounds N         measured rounds (10)
  --help             this text`

const HOST = '127.0.0.1'
const PLUGIN = new URL('../dist/index.js', import.meta.url).href
const FAN_OUTS = 3
const JOINS = 50

runProgram({
  usage: USAGE,
  options: {
    clients: { type: 'string', default: '10000' },
    registrations: { type: 'string', default: '100' },
    scheduled: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '10' }
  },
  main
})

/** How costs grow with registrations, scheduled messages and contexts; README.md says how. */
async function main (values) {
  const [clientCount, registrations, scheduled, rounds] =
    [values.clients, values.registrations, values.scheduled, values.rounds].map(Number)
  const progress = createProgress()
  const rows = []
  progress.show(`${clientCount} clients, where`)
  rows.push(...await compareContexts({ clientCount, rounds }))
  for (const [name, settings] of [
    [`${registrations} registrations`, { registrations }],
    [`${scheduled} scheduled messages`, { scheduled }]
  ]) {
    progress.show(`${clientCount} clients, ${name}`)
    rows.push(...await compareServers(name, settings, { clientCount, rounds }))
  }
  progress.show(`${scheduled} scheduled messages, joins`)
  rows.push(...await compareJoins({ scheduled, rounds }))
  progress.clear()
  console.log(formatMachine(describeMachine()))
  for (const [what, value] of rows) console.log(`${what}: ${value}`)
}

/** Broadcasts with and without `where`, over the same sockets. */
async function compareContexts ({ clientCount, rounds }) {
  return await withRunners({ clientCount, settings: [{}] }, async ([runner]) => {
    const micros = await measureInTurns(
      ['all', 'where', 'filtered'].map((way) => ({ runner, way })), { clientCount, rounds })
    const [all, where, filtered] = micros
    return [
      ['a broadcast with where that matches all', ratio(where, all)],
      ['ten broadcasts with where that match nobody, and one to all', ratio(filtered, all)],
      ['one comparison of a context',
        `${(quartiles(filtered.map((value, i) => value - all[i])).median / 10).toFixed(3)} µs`]
    ]
  })
}

/** A server with these settings next to one without: heap, connections, and broadcasts. */
async function compareServers (name, settings, { clientCount, rounds }) {
  const all = [{}, settings, {}]
  return await withRunners({ clientCount, settings: all }, async (runners, heaps) => {
    const [plain, grown, control] = runners
    const micros = await measureInTurns(
      [plain, grown, control].map((runner) => ({ runner, way: 'all' })), { clientCount, rounds })
    const perItem = (heaps[1] - heaps[0]) / Object.values(settings)[0]
    return [
      [`${name}, heap of each`, `${(perItem / 1000).toFixed(1)} kB`],
      [`${name}, a broadcast`, ratio(micros[1], micros[0])],
      ['control, a second server without them', ratio(micros[2], micros[0])]
    ]
  })
}

/** What a connection of `time.v1` costs, with scheduled messages pending and without. */
async function compareJoins ({ scheduled, rounds }) {
  const joins = []
  for (const settings of [{}, { scheduled }]) {
    const peers = { server: startPeer('server-process.js'), clients: startPeer('sync-process.js') }
    const target = await peers.server.call('start', {
      file: 'grown.js', host: HOST, plugin: PLUGIN, ...settings
    })
    joins.push({ ...peers, target, micros: [] })
  }
  try {
    for (let round = -1; round < rounds; round++) {
      for (const { server, clients, target, micros } of joins) {
        const before = await server.call('cpuMicros')
        await clients.call('connect', { host: HOST, ...target, count: JOINS })
        const taken = (await server.call('cpuMicros') - before) / JOINS
        if (round >= 0) micros.push(taken)
      }
    }
  } finally {
    for (const { server, clients } of joins) for (const peer of [server, clients]) peer.stop()
  }
  const [none, pending] = joins.map(({ micros }) => quartiles(micros).median)
  return [[`a connection, with ${scheduled} scheduled messages and without`,
    `${pending.toFixed(0)} µs and ${none.toFixed(0)} µs`]]
}

/** Starts a server for each of the settings, and connects its clients. */
async function withRunners ({ clientCount, settings }, use) {
  const runners = []
  try {
    const heaps = []
    for (const [index, one] of settings.entries()) {
      const contender = { name: `grown ${index}`, file: 'grown.js', wire: 'websocket', settings: one }
      const runner = await startRunner(contender, { clientCount, intervalMs: 0, plugin: PLUGIN })
      runners.push(runner)
      heaps.push((await runner.server.call('memory')).heapUsed)
      await runner.connect()
    }
    return await use(runners, heaps)
  } finally {
    for (const runner of runners) runner.stop()
  }
}

/** @returns for each contender, the CPU of each round: microseconds for each delivered message. */
async function measureInTurns (contenders, { clientCount, rounds }) {
  const random = createRandom(1)
  const micros = contenders.map(() => [])
  for (let round = -1; round < rounds; round++) {
    for (const index of shuffle([...contenders.keys()], random)) {
      const { runner, way } = contenders[index]
      const { cpu } = await measureCpu(runner, FAN_OUTS, clientCount, way)
      if (round >= 0) micros[index].push(cpu)
    }
  }
  return micros
}

function ratio (values, base) {
  const { median, q1, q3 } = quartiles(values.map((value, index) => value / base[index]))
  return `${median.toFixed(2)} of the CPU [${q1.toFixed(2)}–${q3.toFixed(2)}]`
}
