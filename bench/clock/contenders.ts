import { ServerClock } from '../../src/browser/index.js'
import type { ServerClockOptions } from '../../src/browser/index.js'
import type { Contender, Filter, KeptClock, Surroundings } from './contender.js'
import {
  createKalmanFilter, createNtpFilter, createSendspinFilter, createTimingProviderFilter
} from './filters.js'
import { IRCAM, startIrcam } from './ircam.js'
import { startTimesync, TIMESYNC } from './timesync.js'

interface Schedule {
  readonly everyMs: number
  readonly requestBytes: number
  readonly replyBytes: number
}

/** How often the time is pushed where nobody asks for it. */
const PUSH_MS = 5000
/** Of JSON messages with the four times of an exchange in microseconds. */
const PROBE_A_SECOND: Schedule = { everyMs: 1000, requestBytes: 40, replyBytes: 110 }

/** Everybody, on the schedule that they come with. */
export const CONTENDERS: readonly Contender[] = [
  {
    name: 'lecture: Date#toString every 5 s',
    source: 'rewritten',
    // Such as `Sun Nov 22 2026 15:00:05 GMT+0000 (Coordinated Universal Time)`: whole seconds.
    start: (surroundings) => follow(surroundings, 62, (sentMs) => Math.floor(sentMs / 1000) * 1000)
  },
  {
    name: 'ISO with milliseconds every 5 s',
    source: 'rewritten',
    start: (surroundings) => follow(surroundings, 24, Math.floor)
  },
  {
    name: 'timesync, every 60 s',
    source: 'package',
    module: TIMESYNC,
    start: startTimesync
  },
  {
    name: '@ircam/sync',
    source: 'package',
    module: IRCAM,
    start: startIrcam
  },
  {
    name: 'timing-provider, every second',
    source: 'rewritten',
    module: 'timing-provider',
    start: (surroundings) => poll(surroundings, createTimingProviderFilter(), {
      everyMs: 1000, requestBytes: 27, replyBytes: 55
    })
  },
  {
    name: 'NTP clock filter, every 16 s',
    source: 'rewritten',
    start: (surroundings) => poll(surroundings, createNtpFilter(), {
      everyMs: 16_000, requestBytes: 48, replyBytes: 48
    })
  },
  {
    name: 'Kalman filter of Sendspin, every second',
    source: 'rewritten',
    start: (surroundings) => poll(surroundings, createSendspinFilter(), PROBE_A_SECOND)
  },
  {
    name: 'Kalman filter by excess delay, every second',
    source: 'rewritten',
    start: (surroundings) => poll(surroundings, createKalmanFilter(), PROBE_A_SECOND)
  },
  ours('this package'),
  ours('this package, 4 probes every 16 s', () => ({ sync: { probes: 4, every: 16_000 } })),
  ours('this package, over HTTP', () => ({ transport: 'http' })),
  ours('this package, skew of an earlier visit', ({ earlierSkew }) => ({ sync: { skew: earlierSkew } }))
]

function ours (
  name: string,
  optionsFor: (surroundings: Surroundings) => Pick<ServerClockOptions, 'sync' | 'transport'> = () => ({})
): Contender {
  return {
    name,
    source: 'ours',
    module: '../src/browser/index.ts',
    start (surroundings) {
      const environment = surroundings.createEnvironment()
      const options = { environment, ...optionsFor(surroundings) }
      const clock = new ServerClock('wss://example.org/time', options)
      return {
        now: () => clock.synced ? clock.now() : NaN,
        error: () => clock.error,
        stop: () => clock.close()
      }
    }
  }
}

/** Takes each time that is sent for the time that it is, and goes on from there. */
function follow (
  { local, hear }: Surroundings, bytes: number, shown: (sentMs: number) => number
): KeptClock {
  let offset = NaN
  hear(PUSH_MS, bytes, (sentMs) => { offset = shown(sentMs) - local() })
  return { now: () => local() + offset }
}

function poll (
  { local, after, ask }: Surroundings, filter: Filter, schedule: Schedule
): KeptClock {
  const { everyMs, requestBytes, replyBytes } = schedule

  function next (): void {
    ask(requestBytes, replyBytes, filter.add)
    after(everyMs, next)
  }
  next()
  return { now: () => local() + filter.offsetAt(local()) }
}
