import { createRandom } from '../fakes/random.js'

/** A source of repeatable numbers of several distributions. */
export interface Chance {
  /** From 0 to 1, 1 excluded, all alike. */
  uniform (): number
  /** Around 0, with a standard deviation of 1 (Box and Muller, 1958). */
  normal (): number
  /** From 0 up, with this mean. */
  exponential (mean: number): number
  /** From 0 up, with a heavy tail: the larger the shape, the lighter (Lomax, 1954). */
  lomax (scale: number, shape: number): number
  /** Whether something of this probability has come about. */
  isHit (probability: number): boolean
}

export function createChance (seed: number): Chance {
  const uniform = createRandom(seed)
  const positive = () => 1 - uniform()
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(positive())) * Math.cos(2 * Math.PI * uniform()),
    exponential: (mean) => -mean * Math.log(positive()),
    lomax: (scale, shape) => scale * (positive() ** (-1 / shape) - 1),
    isHit: (probability) => uniform() < probability
  }
}

/** What chance has in store for this millisecond: the same, whoever asks, and how often. */
export function createChanceAt (seed: number, atMs: number): Chance {
  // Factors that are prime keep neighbours apart.
  return createChance(Math.imul(seed, 0x9e3779b1) ^ Math.imul(Math.floor(atMs), 0x85ebca6b))
}
