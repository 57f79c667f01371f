import { parseArgs } from 'node:util'
import { PROFILES } from '../../test/helpers/simulation/profiles.js'
import type { ProfileName } from '../../test/helpers/simulation/profiles.js'
import { assert, end, isProfile } from '../clock/command-line.js'

export interface Arguments {
  readonly minutes: number
  readonly profiles: readonly ProfileName[]
  readonly seed: number
}

const DEFAULT_PROFILES: readonly ProfileName[] =
  ['lan', 'cable', '4g', 'wifi', 'bufferbloat', 'asymmetric']
const USAGE = `Compares ServerClock with chrony in real time, over proxies with the same delays.
Needs Debian's package chrony. chronyd runs with -x, which never touches the system's clock.

  npm run bench:chrony -- [options]

  --minutes 10       how long all run side by side, 2 to 600; the first minute does not count
  --profiles lan,4g  only these of ${Object.keys(PROFILES).join(', ')}
                     (default ${DEFAULT_PROFILES.join(',')})
  --seed 1           which delays
`

/** Reads the command line. Prints the usage and ends the process if it is asked for or needed. */
export function readArguments (): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        profiles: { type: 'string', default: DEFAULT_PROFILES.join(',') },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) end(0, USAGE)
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
    const profiles = values.profiles.split(',')
    assert(minutes >= 2 && minutes <= 600, '--minutes must be a number from 2 to 600')
    assert(Number.isSafeInteger(seed), '--seed must be an integer')
    assert(profiles.every(isProfile), `--profiles must be some of ${Object.keys(PROFILES).join(', ')}`)
    return { minutes, seed, profiles: profiles.filter(isProfile) }
  } catch (err) {
    return end(2, `${(err as Error).message}\n\n${USAGE}`)
  }
}
