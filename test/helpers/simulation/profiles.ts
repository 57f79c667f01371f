import type { Chance } from './distributions.js'

/** One direction of a network. Delays are in milliseconds. */
export interface Leg {
  /** The least that a message takes. */
  readonly baseMs: number
  /** How much more it takes. */
  jitterMs (chance: Chance): number
  /** How much longer a queue makes it take at this time of the network's own. */
  queueMs? (atMs: number): number
}

/** A kind of network, between a browser and a server. */
export interface Profile {
  readonly up: Leg
  readonly down: Leg
  /** How likely a message is lost: TCP sends it again. */
  readonly loss: number
}

export type ProfileName = keyof typeof PROFILES

const cable: Leg = {
  baseMs: 9,
  jitterMs: (chance) => Math.abs(chance.normal()) * 1.5 + chance.exponential(0.5)
}
const lan: Leg = { baseMs: 0.5, jitterMs: (chance) => chance.exponential(0.15) }
const wifi: Leg = { baseMs: 3, jitterMs: (chance) => chance.lomax(1.5, 1.5) }
const satellite: Leg = { baseMs: 280, jitterMs: (chance) => chance.exponential(20) }

/** Those that clocks are compared on; `asymmetric` is the one where all of them must err. */
export const PROFILES = {
  lan: { up: lan, down: lan, loss: 0.0002 },
  cable: { up: cable, down: cable, loss: 0.002 },
  '4g': {
    up: { baseMs: 24, jitterMs: (chance) => chance.lomax(12, 2.5) },
    down: { baseMs: 24, jitterMs: (chance) => chance.lomax(8, 2.5) },
    loss: 0.01
  },
  bufferbloat: {
    up: { ...cable, queueMs: queue({ everyMs: 180_000, forMs: 70_000, mostMs: 400 }) },
    down: { ...cable, queueMs: queue({ everyMs: 240_000, forMs: 50_000, mostMs: 150 }) },
    loss: 0.002
  },
  wifi: { up: wifi, down: wifi, loss: 0.03 },
  satellite: { up: satellite, down: satellite, loss: 0.01 },
  asymmetric: { up: { ...cable, baseMs: 35 }, down: { ...cable, baseMs: 10 }, loss: 0.002 }
} satisfies Record<string, Profile>

/** Somebody else fills the line now and then: the queue grows to `mostMs`, and shrinks again. */
function queue (
  { everyMs, forMs, mostMs }: { everyMs: number, forMs: number, mostMs: number }
): (atMs: number) => number {
  return (atMs) => {
    const phaseMs = atMs % everyMs
    return phaseMs < forMs ? mostMs * Math.sin(Math.PI * phaseMs / forMs) : 0
  }
}
