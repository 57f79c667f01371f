import { test } from 'tap'
import type { Tick } from '../../../src/index.js'
import { runLiveness } from './liveness.js'
import type { LivenessOptions, LivenessReport } from './liveness.js'

/** Tests that the dead are found in time, and that nobody is taken for dead who is not. */
export function testLiveness (options: Omit<LivenessOptions, 'kind'>): void {
  const { halfOpen, live, stallsMs, stopsMs, interval } = options
  test(`on a real port, ${halfOpen} half-open clients are terminated, and ${live} live clients survive stalls ` +
    `of ${stallsMs.join(', ')} ms and stops of ${stopsMs.join(', ')} ms`, async (t) => {
    const report = await runLiveness(t, { kind: 'time-socket', ...options })
    const { goneMs, lostByStalls, lostByStops, closed, faults, maxRttMs } = report
    t.comment(`gone after ${Math.round(goneMs ?? NaN)} ms, longest round trip ${maxRttMs.toFixed(1)} ms`)
    t.ok(goneMs !== undefined, 'half-open clients are terminated')
    t.strictSame({ lostByStalls, lostByStops, heartbeat: closed['heartbeat'], faults }, {
      lostByStalls: 0, lostByStops: 0, heartbeat: halfOpen, faults: []
    })
    t.ok(maxRttMs < Math.min(...stallsMs, ...stopsMs), `longest round trip ${maxRttMs} ms`)

    const ticks = [...ticksOf(report).values()]
    t.strictSame(ticks.filter(({ times }) => times !== live), [], 'each reached everybody')
    t.strictSame(ticks.filter((tick, index) => isAstray(tick, ticks[index - 1])), [])
    for (const span of [...report.stalls, ...report.stops]) {
      const within = ({ at }: Tick) => at > span.fromMs && at <= span.toMs - interval
      t.strictSame(ticks.filter(within), [], 'no tick for what passed meanwhile, but the last')
      const next = ticks.find(({ sent }) => sent >= span.toMs)
      t.ok(next !== undefined && next.at <= span.toMs + 10_000, 'and then one')
    }
  })
}

/** What live clients were sent, by number: the first slice, and how many clients got it. */
function ticksOf ({ received }: LivenessReport): Map<number, Tick & { times: number }> {
  const ticks = new Map<number, Tick & { times: number }>()
  for (const [message, times] of received) {
    const tick: Tick = JSON.parse(message)
    const found = ticks.get(tick.seq) ?? { ...tick, times: 0 }
    found.times += times
    ticks.set(tick.seq, found)
  }
  // The first may have come before some were connected, the last be on its way to some.
  const numbers = [...ticks.keys()]
  for (const number of [Math.min(...numbers), Math.max(...numbers)]) ticks.delete(number)
  return ticks
}

/** A tick as late as this comes from a stall, and not from a busy machine. */
const MAX_LATE_MS = 3000

/** Much older than the latest boundary, or not the next number, or a boundary again. */
function isAstray ({ seq, at, sent, interval }: Tick, before: Tick | undefined): boolean {
  const isLatest = sent >= at && sent < at + interval + MAX_LATE_MS
  const isNext = before === undefined || (seq === before.seq + 1 && at >= before.at + interval)
  return !isLatest || !isNext
}
