import { createChance, createChanceAt } from './distributions.js'
import type { Leg, Profile } from './profiles.js'

/**
 * One connection over a network. What was sent first comes first, as TCP has it. What befalls a
 * message depends on the seed and the millisecond alone: whoever sends then meets the same.
 */
export interface Network {
  /** When something that the client sends at this moment reaches the server. */
  up (sentMs: number): number
  /** When something that the server sends at this moment reaches the client. */
  down (sentMs: number): number
}

/** How long TCP waits, besides a round trip, before it sends something again. */
const RETRY_MS = 200
const LONGEST_CYCLE_MS = 240_000

export function createNetwork (profile: Profile, seed: number): Network {
  const retryMs = RETRY_MS + profile.up.baseMs + profile.down.baseMs
  // A queue may be at any point of its cycle when the connection begins.
  const phaseMs = createChance(seed).uniform() * LONGEST_CYCLE_MS

  function createLeg (
    { baseMs, jitterMs, queueMs }: Leg, direction: number
  ): (sentMs: number) => number {
    let latestMs = -Infinity
    return (sentMs) => {
      const chance = createChanceAt(seed + direction, sentMs)
      const lostMs = chance.isHit(profile.loss) ? retryMs : 0
      const waitMs = queueMs?.(sentMs + phaseMs) ?? 0
      latestMs = Math.max(latestMs, sentMs + baseMs + jitterMs(chance) + waitMs + lostMs)
      return latestMs
    }
  }

  return { up: createLeg(profile.up, 1), down: createLeg(profile.down, 2) }
}
