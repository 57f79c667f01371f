import { parseArgs } from 'node:util'
import { PROFILES } from '../../test/helpers/simulation/profiles.js'
import type { ProfileName } from '../../test/helpers/simulation/profiles.js'
import { assert, end, isProfile } from './command-line.js'

export interface Arguments {
  readonly seeds: readonly number[]
  /** How long each run is, in simulated time. */
  readonly minutes: number
  readonly profiles: readonly ProfileName[]
  /** The files to write; undefined: none. */
  readonly json: string | undefined
  readonly svg: string | undefined
  /** Whether only to find out that everything runs, and that our bounds hold. */
  readonly isSmoke: boolean
}

const ALL = Object.keys(PROFILES)
const USAGE = `Compares ways to keep a server's clock, on simulated networks.

  npm run bench:clock -- [options]

  --seeds 1,2,3      which networks and accidents (default 1,2,3,4,5)
  --minutes 30       how long each run is, 4 to 600 simulated minutes (default 30)
  --profiles lan,4g  only these of ${ALL.join(', ')}
  --json FILE        writes all figures
  --svg FILE         draws the error over time, on bufferbloat
  --smoke            a short run that fails if our clock is off by more than it says
`

/** Reads the command line; ends the process where it asks for help, or cannot be used. */
export function readArguments (): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '1,2,3,4,5' },
        minutes: { type: 'string', default: '30' },
        profiles: { type: 'string', default: ALL.join(',') },
        json: { type: 'string' },
        svg: { type: 'string' },
        smoke: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) end(0, USAGE)
    const { json, svg, smoke: isSmoke } = values
    if (isSmoke) return { seeds: [1], minutes: 10, profiles: ['wifi'], json, svg, isSmoke }
    const seeds = values.seeds.split(',').map(Number)
    const minutes = Number(values.minutes)
    const profiles = values.profiles.split(',')
    assert(seeds.every(Number.isSafeInteger), '--seeds must be integers')
    assert(minutes >= 4 && minutes <= 600, '--minutes must be a number from 4 to 600')
    assert(profiles.every(isProfile), `--profiles must be some of ${ALL.join(', ')}`)
    return { seeds, minutes, profiles: profiles.filter(isProfile), json, svg, isSmoke }
  } catch (err) {
    return end(2, `${(err as Error).message}\n\n${USAGE}`)
  }
}
