import { measureCpu } from './rounds.js'
import { startRunner } from './runner.js'
import { createRandom, quartiles, shuffle } from './statistics.js'

/** What a message may cost at most, relative to ws. Measured: about 0.8; machines are noisy. */
const MAX_RATIO = 1
/** Only a run that fails each time has failed. */
const ATTEMPTS = 3
export const CLIENT_COUNT = 200
const FAN_OUTS = 20
const WARM_UP_PAIRS = 3
const PAIRS = 15
const CONTENDER = { name: 'both', file: 'both.js', wire: 'websocket' }

/**
 * Compares `broadcast` with a loop of `ws.send` in one process and over the same sockets:
 * nothing differs but the way.
 *
 * @param {string} plugin the URL of the built plugin's entry.
 * @returns {Promise<string>} the ratio, for people.
 * @throws {Error} if ours is not faster.
 */
export async function assertFaster (plugin) {
  const settings = { clientCount: CLIENT_COUNT, intervalMs: 0, plugin }
  const runner = await startRunner(CONTENDER, settings)
  try {
    await runner.connect()
    let line
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { median, q1, q3 } = await compareWays(runner, createRandom(attempt), ['ours', 'ws'])
      line = `broadcast against a loop of ws.send over the same ${CLIENT_COUNT} sockets: ` +
        `${median.toFixed(2)} of the CPU [${q1.toFixed(2)}–${q3.toFixed(2)}]`
      if (median <= MAX_RATIO) return line
    }
    throw new Error(`${line}, more than ${MAX_RATIO} in each of ${ATTEMPTS} attempts`)
  } finally {
    runner.stop()
  }
}

/**
 * Compares two ways of a contender that has several.
 *
 * @param {[string, string]} ways the second is what the first is compared with.
 * @returns the quartiles of the ratios of pairs.
 */
export async function compareWays (runner, random, ways) {
  const ratios = []
  for (let pair = -WARM_UP_PAIRS; pair < PAIRS; pair++) {
    const taken = {}
    for (const way of shuffle(ways, random)) {
      taken[way] = await measureCpu(runner, FAN_OUTS, CLIENT_COUNT, way)
    }
    if (pair >= 0) ratios.push(taken[ways[0]].cpu / taken[ways[1]].cpu)
  }
  return quartiles(ratios)
}
