import { parseArgs } from 'node:util'
import { CONTENDERS } from './contenders.js'
import { openFilesLimit } from './machine.js'

export const USAGE = `node bench/fan-out.js [options]
  --clients N      clients of each server; several numbers with commas (1000)
  --full           the same as --clients 1000,5000,10000
  --rounds N       measured rounds of fan-outs (12)
  --only A,B       only these: ${CONTENDERS.map(({ name }) => name).join(', ')}
  --seed N         the order of turns (1)
  --plugin FILE    the built plugin's entry (dist/index.js)
  --json FILE      write all samples
  --svg FILE       write a chart
  --smoke          a short run that fails if anything is lost or ours is not faster than ws
  --help           this text`

/** Files that a process has open besides its connections. */
const OTHER_FILES = 100
/**
 * What the modes differ in. `messages` is what a contender delivers in a round; `intervalMs` is
 * that of timers for each client.
 */
const DEFAULT = {
  clientCounts: [1000],
  rounds: 12,
  connectRounds: 3,
  stallRounds: 5,
  intervalMs: 1000,
  messages: 10_000
}
const SMOKE = {
  clientCounts: [200],
  rounds: 2,
  connectRounds: 1,
  stallRounds: 1,
  intervalMs: 500,
  messages: 1000
}
const FULL_CLIENT_COUNTS = [1000, 5000, 10_000]

/**
 * What the command line asks for. Paths are relative to where it was typed.
 *
 * @throws {Error} that says what is wrong.
 */
export function readArguments (args) {
  const { values } = parseArgs({
    args,
    options: {
      clients: { type: 'string' },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      plugin: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const defaults = values.smoke ? SMOKE : DEFAULT
  const { clients, full, rounds, only, seed } = values
  const clientCounts = clients?.split(',').map((count) => natural('clients', count)) ??
    (full ? FULL_CLIENT_COUNTS : defaults.clientCounts)
  assertAllowed(Math.max(...clientCounts))
  return {
    ...defaults,
    ...values,
    clientCounts,
    rounds: rounds === undefined ? defaults.rounds : natural('rounds', rounds),
    contenders: only === undefined ? CONTENDERS : only.split(',').map(contenderOf),
    seed: natural('seed', seed)
  }
}

function natural (name, text) {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} must be a whole number above 0, got '${text}'`)
}

function contenderOf (name) {
  const contender = CONTENDERS.find((contender) => contender.name === name)
  if (contender !== undefined) return contender
  const names = CONTENDERS.map(({ name }) => name).join(', ')
  throw new Error(`--only must be some of ${names}, got '${name}'`)
}

function assertAllowed (clientCount) {
  const limit = openFilesLimit()
  if (clientCount + OTHER_FILES <= limit) return
  throw new Error(`${clientCount} clients need as many open files in a process, of which ` +
    `${limit} are allowed: raise it with ulimit -n ${clientCount + OTHER_FILES}`)
}
