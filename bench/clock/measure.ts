import type { Profile } from '../../test/helpers/simulation/profiles.js'
import { START_MS } from '../../test/helpers/simulation/simulated-server.js'
import { createTimeline } from '../../test/helpers/simulation/timeline.js'
import type { Contender } from './contender.js'
import { createSurroundings } from './surroundings.js'

/** How one contender has done on one network. Times are in milliseconds. */
export interface Result {
  readonly contender: string
  readonly profile: string
  /** Of how far it was off, from the second minute on; Infinity where it knew nothing. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** How often it was off by more than it said; undefined if it says nothing. */
  readonly violations: number | undefined
  readonly checks: number
  /** In a minute, from the sixth on; of WebSocket frames both ways. */
  readonly bytesPerMinute: number
  /** Of these, those of asking and answering: without ticks. */
  readonly syncBytesPerMinute: number
  readonly messagesPerMinute: number
  /** When it first knew the time, after it was started: the median of all seeds. */
  readonly firstMs: number
}

/** How far one clock was off, look by look. */
export interface Trace {
  readonly errors: Float64Array
  /** Those of the looks that count: the first minute does not. */
  readonly settled: Float64Array
  readonly violations: number | undefined
  readonly bytesPerMinute: number
  readonly syncBytesPerMinute: number
  readonly messagesPerMinute: number
  readonly firstMs: number
}

export const LOOK_MS = 250
const SETTLED_MS = 60_000
const STEADY_MS = 300_000
const MINUTE_MS = 60_000

/** Runs one contender through one seed. */
export async function trace (
  contender: Contender, profile: Profile, seed: number, minutes: number
): Promise<Trace> {
  const timeline = createTimeline()
  const surroundings = createSurroundings(timeline, profile, seed)
  const clock = await contender.start(surroundings)
  const endMs = minutes * MINUTE_MS
  const steadyMs = Math.min(STEADY_MS, endMs / 2)
  const errors = new Float64Array(Math.floor(endMs / LOOK_MS))
  let violations = clock.error && 0
  let firstMs = Infinity
  let before = { messages: 0, bytes: 0, syncBytes: 0 }
  for (let look = 0; look < errors.length; look++) {
    const atMs = (look + 1) * LOOK_MS
    await timeline.run(atMs)
    const offMs = Math.abs(clock.now() - START_MS - atMs)
    errors[look] = Number.isNaN(offMs) ? Infinity : offMs
    if (firstMs === Infinity && !Number.isNaN(offMs)) firstMs = atMs
    if (violations !== undefined && offMs > Number(clock.error?.())) violations++
    if (atMs === steadyMs) before = { ...surroundings.traffic() }
  }
  clock.stop?.()
  const { messages, bytes, syncBytes } = surroundings.traffic()
  const steadyMinutes = (endMs - steadyMs) / MINUTE_MS
  return {
    errors,
    settled: errors.subarray(Math.min(SETTLED_MS, endMs / 2) / LOOK_MS),
    violations,
    bytesPerMinute: (bytes - before.bytes) / steadyMinutes,
    syncBytesPerMinute: (syncBytes - before.syncBytes) / steadyMinutes,
    messagesPerMinute: (messages - before.messages) / steadyMinutes,
    firstMs
  }
}

/** Sums up what one contender did on one network, over all seeds. */
export function summarize (
  contender: string, profile: string, traces: readonly Trace[]
): Result {
  const all = Float64Array.from(traces.flatMap(({ settled }) => [...settled])).sort()
  const violations = traces.map(({ violations }) => violations)
  return {
    contender,
    profile,
    p50: quantile(all, 0.5),
    p95: quantile(all, 0.95),
    p99: quantile(all, 0.99),
    max: quantile(all, 1),
    violations: violations.includes(undefined) ? undefined : sum(violations.map(Number)),
    checks: sum(traces.map(({ errors }) => errors.length)),
    bytesPerMinute: mean(traces.map(({ bytesPerMinute }) => bytesPerMinute)),
    syncBytesPerMinute: mean(traces.map(({ syncBytesPerMinute }) => syncBytesPerMinute)),
    messagesPerMinute: mean(traces.map(({ messagesPerMinute }) => messagesPerMinute)),
    firstMs: quantile(Float64Array.from(traces.map(({ firstMs }) => firstMs)).sort(), 0.5)
  }
}

/** @param sorted ascending. */
export function quantile (sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}

function mean (values: readonly number[]): number {
  return sum(values) / values.length
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
