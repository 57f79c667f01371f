import { createChance, createChanceAt } from '../../test/helpers/simulation/distributions.js'
import { createDriftingClock } from '../../test/helpers/simulation/drifting-clock.js'
import { createNetwork } from '../../test/helpers/simulation/network.js'
import type { Profile } from '../../test/helpers/simulation/profiles.js'
import { createSimulatedDevice } from '../../test/helpers/simulation/simulated-device.js'
import type { SimulatedDevice } from '../../test/helpers/simulation/simulated-device.js'
import { createSimulatedServer, START_MS } from '../../test/helpers/simulation/simulated-server.js'
import type { Timeline } from '../../test/helpers/simulation/timeline.js'
import type { Surroundings } from './contender.js'

export interface Traffic {
  messages: number
  bytes: number
  syncBytes: number
}

export interface SimulatedSurroundings extends Surroundings {
  /** Of WebSocket frames, both ways, since the beginning; `syncBytes` without the ticks. */
  traffic (): Traffic
}

const STALL = { probability: 0.01, mostMs: 20 }
const JANK = { probability: 0.04, mostMs: 40 }
const HOLD_MS = 0.03
/** How far the skew that an earlier visit found is off. */
const SKEW_ERROR_PPM = 0.5
/** Of a frame (RFC 6455 §5.2), both ways together, and of one from the server. */
const EXCHANGE_HEADER_BYTES = 8
const HEADER_BYTES = 2

/** The same network, clocks and accidents for every contender of one seed. */
export function createSurroundings (
  timeline: Timeline, profile: Profile, seed: number
): SimulatedSurroundings {
  const chance = createChance(seed)
  const clock = createDriftingClock({ chance })
  const network = createNetwork(profile, seed)
  const local = () => clock.read(timeline.nowMs)
  const traffic: Traffic = { messages: 0, bytes: 0, syncBytes: 0 }
  let device: SimulatedDevice | undefined
  let freeMs = 0

  function held ({ probability, mostMs }: typeof STALL, atMs: number): number {
    const { isHit, uniform } = createChanceAt(seed, atMs)
    return isHit(probability) ? uniform() * mostMs : 0
  }

  /** What comes is dealt with in order, and not while the page is busy. */
  function come (arrivalMs: number, callback: () => void): void {
    freeMs = Math.max(freeMs, arrivalMs + held(JANK, arrivalMs))
    timeline.at(freeMs, callback)
  }

  return {
    local,
    earlierSkew: (SKEW_ERROR_PPM - clock.skewPpm) * 1e-6,
    after: (ms, callback) => timeline.at(timeline.nowMs + clock.lasts(ms), callback),
    uniform: chance.uniform,
    ask (requestBytes, replyBytes, onReply) {
      const t1 = local()
      traffic.messages += 2
      traffic.bytes += requestBytes + replyBytes + EXCHANGE_HEADER_BYTES
      traffic.syncBytes += requestBytes + replyBytes + EXCHANGE_HEADER_BYTES
      const arrivalMs = network.up(timeline.nowMs)
      timeline.at(arrivalMs + held(STALL, arrivalMs), () => {
        const t2 = round(START_MS + timeline.nowMs)
        const t3 = round(START_MS + timeline.nowMs + HOLD_MS)
        come(network.down(timeline.nowMs + HOLD_MS), () => onReply({ t1, t2, t3, t4: local() }))
      })
    },
    hear (everyMs, bytes, onTick) {
      function tick (): void {
        const sentMs = START_MS + timeline.nowMs
        traffic.messages++
        traffic.bytes += bytes + HEADER_BYTES
        come(network.down(timeline.nowMs), () => onTick(sentMs))
        timeline.at(timeline.nowMs + everyMs, tick)
      }
      // At whatever moment the server was started.
      timeline.at(chance.uniform() * everyMs, tick)
    },
    createEnvironment () {
      const server = createSimulatedServer({ timeline, seed, stallProbability: STALL.probability })
      device = createSimulatedDevice({
        timeline, seed, profile, server, wallAheadMs: 3000, jankProbability: JANK.probability
      })
      return device.environment
    },
    traffic: () => device?.traffic ?? traffic
  }
}

/** As on the wire. */
function round (ms: number): number {
  return Math.round(ms * 100) / 100
}
