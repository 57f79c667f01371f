import type { Fall, Reading } from './measured-page.js'
import type { Found, Frozen, TwoPagesResult } from './two-pages.js'

/** Whether the two pages agreed. Milliseconds. */
export interface Verdict {
  /** Readings of either page that were further off than it said. */
  readonly violations: number
  /** Pairs of readings at one instant that differ by more than the sum of their bounds. */
  readonly disagreements: number
  readonly pairs: number
  /** Between the two pages' callbacks of one message, but those that came due in the freeze. */
  readonly apart: readonly number[]
  /** The sums of their bounds then. */
  readonly bounds: readonly number[]
  /** How many of these were further apart than that. */
  readonly tooFarApart: number
  readonly missed: number
  /** From the thaw to the first reading. */
  readonly recoveredMs: number
  /** That reading. */
  readonly recovered: Reading
  readonly closes: number
}

export function judge ({ near, far, frozen }: TwoPagesResult): Verdict {
  const slackMs = near.record.uncertainMs + far.record.uncertainMs
  const pairs = near.record.readings.flatMap((reading) => {
    const other = closest(far.record.readings, reading.atMs)
    return Math.abs(other.atMs - reading.atMs) < 100 ? [[reading, other] as const] : []
  })
  const due = near.record.falls.filter(isThawed(frozen))
  const falls = due.flatMap((fall) => {
    const other = far.record.falls.find(({ dueMs }) => dueMs === fall.dueMs)
    return other === undefined ? [] : [[fall, other] as const]
  })
  const apart = falls.map(([one, other]) => Math.abs(one.atMs - other.atMs))
  const bounds = falls.map(([one, other]) => one.boundMs + other.boundMs)
  const recovered = far.record.readings.find(({ atMs }) => atMs >= frozen.untilMs)
  if (recovered === undefined) throw new Error('the frozen page has not gone on')
  return {
    violations: countViolations(near) + countViolations(far),
    disagreements: pairs.filter(([one, other]) =>
      Math.abs(one.errorMs - other.errorMs) > one.boundMs + other.boundMs + slackMs).length,
    pairs: pairs.length,
    apart,
    bounds,
    tooFarApart: apart.filter((ms, index) => ms > (bounds[index] ?? 0) + slackMs).length,
    missed: due.length - falls.length,
    recoveredMs: recovered.atMs - frozen.untilMs,
    recovered,
    closes: near.record.closes + far.record.closes
  }
}

/** The table, as Markdown, and what it means. */
export function describe (result: TwoPagesResult): string[] {
  const { near, far, frozen } = result
  const verdict = judge(result)
  const { recovered } = verdict
  return [
    '| page | there, back | `Date` wrong by | readings | off: p50, p95, max | ± p50, max | beyond ± |',
    '|---|---|---|---|---|---|---|',
    ...[near, far].map(describePage),
    `${verdict.pairs} pairs of readings, ${verdict.disagreements} differ by more than both bounds`,
    ...verdict.apart.length === 0 ? [] : describeHammers(result, verdict),
    `frozen for ${Math.round(frozen.untilMs - frozen.fromMs)} ms: the first reading came ` +
      `${verdict.recoveredMs.toFixed(0)} ms after, off by ${recovered.errorMs.toFixed(2)}, ` +
      `± ${recovered.boundMs.toFixed(2)}; ${verdict.closes} connections lost`,
    'measured to ± ' + [near, far].map(({ record }) => record.uncertainMs.toFixed(2)).join(' and ± ')
  ]
}

function describeHammers ({ near, far, frozen }: TwoPagesResult, verdict: Verdict): string[] {
  const late = [near, far].map(({ place, record }) =>
    `${place.name} ${spread(record.falls.filter(isThawed(frozen)).map(lateness))}`)
  return [
    `hammers late: ${late.join('; ')}`,
    `${verdict.apart.length} hammers: apart ${spread(verdict.apart)}, ` +
      `both bounds ${spread(verdict.bounds)}, ${verdict.tooFarApart} further apart than these`
  ]
}

function describePage (found: Found): string {
  const { place, record } = found
  const { up, down } = place.network
  const ways = [up, down].map((way) =>
    `${way?.delayMs} ms${way?.jitterMs === undefined ? '' : ` + 0–${way.jitterMs}`}`)
  const bounds = record.readings.map(({ boundMs }) => boundMs)
  const cells = [
    place.name, ways.join(', '), `${place.wrongMs / 60_000} min`, record.readings.length,
    spread(record.readings.map(({ errorMs }) => Math.abs(errorMs))),
    `${quantile(bounds, 0.5).toFixed(2)}, ${quantile(bounds, 1).toFixed(2)}`,
    countViolations(found)
  ]
  return `| ${cells.join(' | ')} |`
}

function countViolations ({ record: { readings, uncertainMs } }: Found): number {
  return readings.filter(({ errorMs, boundMs }) => Math.abs(errorMs) > boundMs + uncertainMs).length
}

/** Whether a message was due while both pages ran. */
function isThawed ({ fromMs, untilMs }: Frozen): (fall: Fall) => boolean {
  return ({ dueMs }) => dueMs < fromMs - 100 || dueMs > untilMs + 500
}

function lateness ({ atMs, dueMs }: Fall): number {
  return atMs - dueMs
}

function closest (readings: readonly Reading[], atMs: number): Reading {
  return readings.reduce((best, reading) =>
    Math.abs(reading.atMs - atMs) < Math.abs(best.atMs - atMs) ? reading : best)
}

/** Median, 95th percentile and maximum. */
function spread (values: readonly number[]): string {
  return [0.5, 0.95, 1].map((part) => quantile(values, part).toFixed(2)).join(', ')
}

/** The smallest value that so many, as a part of all, do not exceed. */
export function quantile (values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN
}
