import { Writable } from 'node:stream'
import { collectGarbage } from '../network/garbage.js'
import { LEVELS } from '../fakes/log.js'
import type { LogLine } from '../fakes/log.js'
import type { Observation } from './target-process.js'

/** Writes down what becomes of a server. */
export interface Ledger {
  /** For Fastify. */
  readonly logger: { level: string, stream: Writable }
  close (how: string): void
  fault (message: string): void
  /** Collects garbage, and observes memory and CPU time from here on. */
  settle (): void
  read (): Pick<Observation, 'closes' | 'lines' | 'faults' | 'growthBytes' | 'cpuMs'>
}

const SAMPLE_MS = 5
/** Lines at info level that healthy clients cause as well. */
const EXPECTED = /^(client (connected|closed)$|Server listening|incoming request|request completed)/

export function createLedger (): Ledger {
  const closes: Record<string, number> = {}
  const lines: Record<string, number> = {}
  const faults: string[] = []
  let startBytes = 0
  let peakBytes = 0
  let cpu = process.cpuUsage()

  function note (text: string): void {
    const { level, msg }: LogLine = JSON.parse(text)
    if (level > LEVELS.info || !EXPECTED.test(msg)) count(lines, `${level} ${msg}`)
  }

  function sample (): void {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
  }

  return {
    logger: {
      level: 'info',
      stream: new Writable({
        write (chunk, _encoding, done) {
          for (const text of String(chunk).split('\n')) if (text !== '') note(text)
          done()
        }
      })
    },
    close: (how) => count(closes, how),
    fault: (message) => { faults.push(message) },
    settle () {
      collectGarbage()
      startBytes = peakBytes = process.memoryUsage.rss()
      cpu = process.cpuUsage()
      setInterval(sample, SAMPLE_MS).unref()
    },
    read () {
      const { user, system } = process.cpuUsage(cpu)
      const cpuMs = (user + system) / 1000
      return { closes, lines, faults, growthBytes: peakBytes - startBytes, cpuMs }
    }
  }
}

function count (counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
