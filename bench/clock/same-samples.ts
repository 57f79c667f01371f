import type { Profile } from '../../test/helpers/simulation/profiles.js'
import { START_MS } from '../../test/helpers/simulation/simulated-server.js'
import { createTimeline } from '../../test/helpers/simulation/timeline.js'
import type { Filter } from './contender.js'
import {
  createCorridorFilter, createKalmanFilter, createNtpFilter, createSendspinFilter,
  createTimesyncFilter, createTimingProviderFilter
} from './filters.js'
import { createIrcamFilter, IRCAM } from './ircam.js'
import { LOOK_MS } from './measure.js'
import type { Trace } from './measure.js'
import { createSurroundings } from './surroundings.js'

export interface NamedFilter {
  readonly name: string
  readonly source: 'package' | 'rewritten' | 'ours'
  /** What it is imported from, if it is a package. */
  readonly module?: string
  create (): Filter | Promise<Filter>
}

/** The estimators alone: what they make of samples that they did not choose. */
export const FILTERS: readonly NamedFilter[] = [
  { name: 'timesync', source: 'rewritten', create: createTimesyncFilter },
  { name: '@ircam/sync', source: 'package', module: IRCAM, create: createIrcamFilter },
  { name: 'timing-provider', source: 'rewritten', create: createTimingProviderFilter },
  { name: 'NTP clock filter', source: 'rewritten', create: createNtpFilter },
  { name: 'Kalman filter of Sendspin', source: 'rewritten', create: createSendspinFilter },
  { name: 'Kalman filter, by excess delay', source: 'rewritten', create: createKalmanFilter },
  { name: 'this package', source: 'ours', create: createCorridorFilter }
]

/** Eight at once at first; then so many, so far apart, so often. */
const FIRST_COUNT = 8
const ROUND_COUNT = 4
const GAP_MS = 250
const ROUND_MS = 16_000
const SETTLED_MS = 60_000

/** Feeds all of them the same exchanges with the server; nobody gets ticks. */
export async function traceSame (
  filters: readonly NamedFilter[], profile: Profile, seed: number, minutes: number
): Promise<Trace[]> {
  const timeline = createTimeline()
  const { local, after, ask, traffic } = createSurroundings(timeline, profile, seed)
  silenceTimers()
  const running = await Promise.all(filters.map(({ create }) => create()))

  function round (left: number): void {
    ask(24, 72, (sample) => { for (const filter of running) filter.add(sample) })
    if (left > 1) after(GAP_MS, () => round(left - 1))
    else after(ROUND_MS, () => round(ROUND_COUNT))
  }

  const count = Math.floor(minutes * 60_000 / LOOK_MS)
  const errors = filters.map(() => new Float64Array(count))
  round(FIRST_COUNT)
  for (let look = 0; look < count; look++) {
    const atMs = (look + 1) * LOOK_MS
    await timeline.run(atMs)
    const localMs = local()
    running.forEach((filter, index) => {
      const offMs = Math.abs(localMs + filter.offsetAt(localMs) - START_MS - atMs)
      const own = errors[index] as Float64Array
      own[look] = Number.isNaN(offMs) ? Infinity : offMs
    })
  }
  const { messages, bytes, syncBytes } = traffic()
  return errors.map((own) => ({
    errors: own,
    settled: own.subarray(SETTLED_MS / LOOK_MS),
    violations: undefined,
    bytesPerMinute: bytes / minutes,
    syncBytesPerMinute: syncBytes / minutes,
    messagesPerMinute: messages / minutes,
    firstMs: LOOK_MS * (1 + own.findIndex((offMs) => offMs < Infinity))
  }))
}

/** Nobody asks on a schedule of its own here. */
function silenceTimers (): void {
  Object.assign(globalThis, { setTimeout: () => 0, clearTimeout () {} })
}
