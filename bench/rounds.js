import { quartiles, shuffle } from './statistics.js'

/** Connections that are opened and closed first: what is loaded only once, is loaded by then. */
const WARM_UP_CLIENTS = 100
/** Rounds that are run and not counted, until the compiler has done its work. */
const WARM_UP_ROUNDS = 2
/** A contender whose fan-out takes a whole interval has its turn in one of so many rounds. */
const SPREAD_EVERY = 4

/**
 * What is measured of one contender. Lists have an entry for each round, in the order of rounds;
 * undefined where it had no turn.
 *
 * @typedef {object} Samples
 * @property {number[]} cpu microseconds of server CPU for each delivered message.
 * @property {number[]} last milliseconds until the last client had the message.
 * @property {number[]} stall longest turn of the server's event loop, in milliseconds.
 * @property {number[]} heap bytes for each idle client.
 * @property {number[]} rss bytes for each idle client: the first time only, because a process
 *   does not give back what it has.
 * @property {number[]} handshake microseconds of server CPU for each connection.
 * @property {number[]} accepted connections in a second.
 * @property {number[]} loadCpu share of a core that each process of clients used.
 * @property {number[]} loadIdle share of the time in which it had nothing to do.
 */

/** @returns {Samples} */
export function createSamples () {
  return {
    cpu: [],
    last: [],
    stall: [],
    heap: [],
    rss: [],
    handshake: [],
    accepted: [],
    loadCpu: [],
    loadIdle: []
  }
}

/**
 * Connects all clients again and again, each time to the contenders in another order; leaves
 * them connected.
 *
 * @param {object} run
 * @param {object[]} run.runners
 * @param {Map<object, Samples>} run.samples by runner.
 * @param {() => number} run.random
 * @param {(text: string) => void} run.progress
 * @param {number} roundCount
 * @param {number} clientCount
 */
export async function runConnectRounds (run, roundCount, clientCount) {
  const { runners, samples, random, progress } = run
  for (const runner of runners) {
    await runner.connect(Math.min(WARM_UP_CLIENTS, clientCount))
    await runner.disconnect()
  }
  for (let round = 0; round < roundCount; round++) {
    for (const runner of shuffle(runners, random)) {
      progress(`connections ${round + 1}/${roundCount}: ${runner.contender.title}`)
      const taken = samples.get(runner)
      if (round > 0) await runner.disconnect()
      const before = await runner.server.call('memory')
      const { perSecond, micros } = await runner.connect()
      const after = await runner.server.call('memory')
      taken.handshake[round] = micros
      taken.accepted[round] = perSecond
      taken.heap[round] = (after.heapUsed - before.heapUsed) / clientCount
      if (round === 0) taken.rss[round] = (after.rss - before.rss) / clientCount
    }
  }
}

/** Measures the CPU of fan-outs; each has drained before the next one starts. */
export async function runCpuRounds (run, roundCount, { clientCount, fanOutCount }) {
  const { runners, random, progress } = run
  for (let round = -WARM_UP_ROUNDS; round < roundCount; round++) {
    for (const runner of shuffle(runners, random)) {
      const { title, spread = false } = runner.contender
      if (spread && !hasTurn(round)) continue
      const label = round < 0 ? 'warming up' : `CPU ${round + 1}/${roundCount}`
      progress(`${label}: ${title}`)
      const taken = await measureCpu(runner, spread ? 1 : fanOutCount, clientCount)
      if (round >= 0) record(run.samples.get(runner), round, taken)
    }
  }
}

/** In the last of the rounds that do not count, then in every fourth. */
function hasTurn (round) {
  return round === -1 || (round >= 0 && round % SPREAD_EVERY === 0)
}

/**
 * @param {object} runner
 * @param {number} fanOutCount
 * @param {number} clientCount
 * @param {string} [way] for a contender that has several.
 */
export async function measureCpu (runner, fanOutCount, clientCount, way) {
  const lastMs = []
  const loadBefore = await runner.loadUsage()
  const beforeMicros = await runner.server.call('cpuMicros')
  for (let count = 0; count < fanOutCount; count++) lastMs.push(await runner.fanOut(way))
  const micros = await runner.server.call('cpuMicros') - beforeMicros
  const loadAfter = await runner.loadUsage()
  await runner.assertDelivered()

  const tookMs = loadAfter.allMs - loadBefore.allMs
  return {
    cpu: micros / (fanOutCount * clientCount),
    last: runner.contender.spread ? undefined : quartiles(lastMs).median,
    loadCpu: (loadAfter.cpuMs - loadBefore.cpuMs) / tookMs,
    loadIdle: 1 - (loadAfter.activeMs - loadBefore.activeMs) / tookMs
  }
}

/** Measures stalls, apart from the CPU: looking at the clock in each turn takes all there is. */
export async function runStallRounds ({ runners, samples, random, progress }, roundCount) {
  const sudden = runners.filter(({ contender }) => !contender.spread)
  for (let round = 0; round < roundCount; round++) {
    for (const runner of shuffle(sudden, random)) {
      progress(`stalls ${round + 1}/${roundCount}: ${runner.contender.title}`)
      await runner.server.call('startProbe')
      await runner.fanOut()
      samples.get(runner).stall[round] = await runner.server.call('stopProbe')
      await runner.assertDelivered()
    }
  }
}

function record (samples, round, taken) {
  for (const [name, value] of Object.entries(taken)) {
    if (value !== undefined) samples[name][round] = value
  }
}
