import type { Environment } from '../../src/browser/environment.js'

/** One exchange with the server, in the words of RFC 5905, section 8. Milliseconds. */
export interface Sample {
  /** The request was sent, by the local clock. */
  readonly t1: number
  /** It arrived, by the server's. */
  readonly t2: number
  /** The reply was sent, by the server's. */
  readonly t3: number
  /** It arrived, by the local clock. */
  readonly t4: number
}

/** What a contender has to go by: simulated, and the same for all. */
export interface Surroundings {
  /** A monotonic clock, in milliseconds. */
  local (): number
  after (ms: number, callback: () => void): () => void
  uniform (): number
  /** The `skew` of the server's clock that an earlier visit found. */
  readonly earlierSkew: number
  /** Asks the server for its time, with messages of so many bytes of payload. */
  ask (requestBytes: number, replyBytes: number, onReply: (sample: Sample) => void): void
  /** Has the server send its time every so often, in so many bytes. */
  hear (everyMs: number, bytes: number, onTick: (sentMs: number) => void): void
  /** The same as a browser has it, with a server that speaks `time.v1`. */
  createEnvironment (): Environment
}

/** A clock that is being kept. */
export interface KeptClock {
  /** The server's time, as far as it knows; NaN before it does. */
  now (): number
  /** By how much that may be wrong at most, if it says so. */
  error? (): number
  stop? (): void
}

/** One way to keep a clock, on a schedule of its own. */
export interface Contender {
  readonly name: string
  /** `package`: itself, as published; `rewritten`: its method, written for this comparison. */
  readonly source: 'package' | 'rewritten' | 'ours'
  /** What a browser loads for it, if that is a package; of the repository or of `bench/`. */
  readonly module?: string
  start (surroundings: Surroundings): KeptClock | Promise<KeptClock>
}

/** One way to make an offset of samples that somebody else has taken. */
export interface Filter {
  /** Takes one more. */
  add (sample: Sample): void
  /** The server's clock minus the local one, at a time of the local one; NaN before the first. */
  offsetAt (localMs: number): number
}

/** The offset that a sample shows if its two ways took equally long. */
export function offsetOf ({ t1, t2, t3, t4 }: Sample): number {
  return (t2 - t1 + t3 - t4) / 2
}

/** How long a sample was on its ways, there and back. */
export function roundTripOf ({ t1, t2, t3, t4 }: Sample): number {
  return t4 - t1 - (t3 - t2)
}
