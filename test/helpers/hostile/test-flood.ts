import { test } from 'tap'
import type { FloodName } from './flood.js'
import { INTERVAL_MS, runFlood } from './floods.js'
import type { FloodReport } from './floods.js'
import { startTarget } from './target-process.js'

export interface FloodEnding {
  flood: FloodName
  /** Code and cause that each flooder is closed with. */
  ends: string
  /** The close code that each can read; undefined if a flooder may be gone before that. */
  told: string | undefined
}

const FLOODER_COUNT = 10
/** Measured: 4 to 47 MiB, most of it V8's heap. Without a limit, ten bombs take 1000 MiB. */
const MAX_GROWTH_MIB = 100
const MAX_LATENESS_MS = 250
/** A bare route takes 4 to 6 s for small messages. */
const MAX_CPU_MS = 2500
const MIB = 1024 * 1024

export const FLOOD_ENDINGS: readonly FloodEnding[] = [
  { flood: 'small messages', ends: '1008 rate', told: '1008' },
  { flood: 'pings whose pongs are read', ends: '1008 rate', told: '1008' },
  { flood: 'pings whose pongs are never read', ends: '1008 rate', told: undefined },
  { flood: 'unsolicited pongs', ends: '1008 rate', told: '1008' },
  { flood: 'messages of 64 KiB', ends: '1009 size', told: '1009' },
  { flood: 'one message of 1 GiB', ends: '1009 size', told: '1009' },
  { flood: 'one message in endless fragments', ends: '1008 rate', told: '1008' },
  { flood: 'bombs that inflate to 100 MiB', ends: '1009 size', told: '1009' }
]

/**
 * Tests that a flood ends those who send it, and costs nobody else anything.
 *
 * @param by what tells what others pay: how late their ticks are, on a quiet machine, or how much
 * CPU time the server uses.
 */
export function testFlood ({ flood, ends, told }: FloodEnding, by: 'lateness' | 'cpu'): void {
  test(`on a real port, ${FLOODER_COUNT} clients that send ${flood} are closed, and delay no other client`, {
    timeout: 300_000
  }, async (t) => {
    const target = await startTarget(t, {
      kind: 'time-socket', interval: INTERVAL_MS, compresses: flood.startsWith('bombs')
    })
    const report = await runFlood(t, { target, flood, flooders: FLOODER_COUNT })
    t.comment(describe(report))
    const goodbyes = countByCode(report.goodbyes)
    const { closes, lines, faults, connections, served } = report
    if (told === undefined) t.equal(goodbyes['still'], undefined, 'none is still open')
    else t.strictSame(goodbyes, { [told]: FLOODER_COUNT })
    t.strictSame({ closes, lines, faults, connections, served }, {
      closes: { [ends]: FLOODER_COUNT },
      lines: {},
      faults: [],
      connections: 5,
      served: 5
    })
    const { growthBytes, cpuMs, latenessMs } = report
    t.ok(growthBytes <= MAX_GROWTH_MIB * MIB, `${growthBytes / MIB} MiB more`)
    if (by === 'cpu') t.ok(cpuMs <= MAX_CPU_MS, `${cpuMs} ms of CPU time`)
    else t.ok(latenessMs <= MAX_LATENESS_MS, `ticks are ${latenessMs} ms late`)
    t.equal(await target.close(), 0)
  })
}

/** Whether the plugin or ws finds that a message is too large depends on how it arrives. */
function countByCode (goodbyes: Readonly<Record<string, number>>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [goodbye, count] of Object.entries(goodbyes)) {
    const [code = ''] = goodbye.split(' ')
    counts[code] = (counts[code] ?? 0) + count
  }
  return counts
}

/** For people: how late ticks came also depends on what else the machine does. */
export function describe (
  { growthBytes, cpuMs, latenessMs, latenessBeforeMs }: FloodReport
): string {
  return `RSS +${(growthBytes / MIB).toFixed(1)} MiB, ${cpuMs.toFixed(0)} ms of CPU time, ` +
    `ticks late by ${latenessMs.toFixed(0)} ms (p99), ${latenessBeforeMs.toFixed(0)} ms before`
}
