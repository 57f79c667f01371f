import { ServerClock } from '../../../src/browser/index.js'
import type { ServerClockOptions } from '../../../src/browser/index.js'
import { createChance } from './distributions.js'
import type { Profile } from './profiles.js'
import { createSimulatedDevice } from './simulated-device.js'
import { createSimulatedServer } from './simulated-server.js'
import { createTimeline } from './timeline.js'

export interface RunOptions extends Pick<ServerClockOptions, 'sync' | 'transport'> {
  profile: Profile
  seed: number
  untilMs: number
  wanderPpm?: number
  resolutionMs?: number
}

/** How the real client fared in one simulated connection. Milliseconds, unless said otherwise. */
export interface Run {
  /** By how much `now()` was wrong, at random moments after the first minute. */
  readonly errorsMs: readonly number[]
  /** How often it was more wrong than `error` said, from the beginning, and by how much at most. */
  readonly violations: number
  /** How often `now()` was less than before without a `step`. */
  readonly backwardCount: number
  /** From `open` until `error` was finite, less one round trip of that moment. */
  readonly firstEstimateMs: number
  /** Of sync frames, both ways, after five minutes. */
  readonly syncBytesPerMinute: number
}

const WARM_UP_MS = 60_000
const TRAFFIC_FROM_MS = 300_000
/** Times since 1970 have no finer fractions, and those on the wire have two decimals. */
const ROUNDING_MS = 0.006

/** Runs a `ServerClock` over a simulated network, and looks at it a few times a second. */
export async function runClock (options: RunOptions): Promise<Run> {
  const { profile, seed, untilMs, sync, transport, wanderPpm, resolutionMs } = options
  const chance = createChance(~seed)
  const timeline = createTimeline()
  const server = createSimulatedServer({ timeline, seed })
  const device = createSimulatedDevice({
    timeline,
    seed,
    profile,
    server,
    wallAheadMs: 4321,
    ...wanderPpm !== undefined && { wanderPpm },
    ...resolutionMs !== undefined && { resolutionMs }
  })
  const { environment } = device
  const clock = new ServerClock('wss://example.org/time', { environment, sync, transport })
  let openMs = NaN
  let lastMs = -Infinity
  let firstEstimateMs = NaN
  let [violations, backwardCount, syncBytes] = [0, 0, 0]
  const errorsMs: number[] = []
  clock.addEventListener('open', () => { openMs = timeline.nowMs })
  clock.addEventListener('step', () => { lastMs = -Infinity })
  clock.addEventListener('sync', () => {
    if (Number.isNaN(firstEstimateMs)) firstEstimateMs = timeline.nowMs - openMs - Number(clock.rtt)
  })

  function look (): void {
    const nowMs = clock.now()
    const wrongMs = Math.abs(nowMs - server.now())
    if (wrongMs > clock.error + ROUNDING_MS) violations++
    if (nowMs < lastMs) backwardCount++
    lastMs = nowMs
    if (timeline.nowMs > WARM_UP_MS) errorsMs.push(wrongMs)
    if (timeline.nowMs < TRAFFIC_FROM_MS) syncBytes = device.traffic.syncBytes
    timeline.at(timeline.nowMs + 100 + 400 * chance.uniform(), look)
  }

  timeline.at(0, look)
  await timeline.run(untilMs)
  clock.close()
  const minutes = (untilMs - TRAFFIC_FROM_MS) / 60_000
  return {
    errorsMs,
    violations,
    backwardCount,
    firstEstimateMs,
    syncBytesPerMinute: (device.traffic.syncBytes - syncBytes) / minutes
  }
}
