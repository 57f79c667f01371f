import { CONTENDERS } from './contenders.js'
import type { Result } from './measure.js'
import { FILTERS } from './same-samples.js'

export interface TablesOptions {
  own: readonly Result[]
  same: readonly Result[]
  sizes: ReadonlyMap<string, number>
  profiles: readonly string[]
}

const SOURCES = { package: 'the package', rewritten: 'rewritten', ours: 'ours' }

/** One table for each network: everybody on their own schedule, then all on the same samples. */
export function printTables ({ own, same, sizes, profiles }: TablesOptions): void {
  for (const profile of profiles) {
    process.stdout.write(`\n${profile}, each on its own schedule\n`)
    print(
      ['', 'as', 'p50', 'p95', 'p99', 'max', 'bound broken', 'bytes/min', 'without ticks', 'messages/min', 'first ms', 'gzip B'],
      own.filter((result) => result.profile === profile).map((result) => [
        result.contender,
        SOURCES[sourceOf(CONTENDERS, result.contender)],
        ...figures(result),
        result.violations === undefined ? '–' : `${result.violations} of ${result.checks}`,
        result.bytesPerMinute.toFixed(0),
        result.syncBytesPerMinute.toFixed(0),
        result.messagesPerMinute.toFixed(1),
        result.firstMs === Infinity ? 'never' : result.firstMs.toFixed(0),
        String(sizes.get(result.contender) ?? '–')
      ])
    )
    process.stdout.write(`\n${profile}, all estimators on the same samples\n`)
    print(
      ['', 'as', 'p50', 'p95', 'p99', 'max'],
      same.filter((result) => result.profile === profile).map((result) => [
        result.contender, SOURCES[sourceOf(FILTERS, result.contender)], ...figures(result)
      ])
    )
  }
}

function sourceOf (
  entries: readonly { name: string, source: keyof typeof SOURCES }[], name: string
): keyof typeof SOURCES {
  return entries.find((entry) => entry.name === name)?.source ?? 'rewritten'
}

function figures ({ p50, p95, p99, max }: Result): string[] {
  return [p50, p95, p99, max].map((ms) => ms.toFixed(ms < 100 ? 2 : 0))
}

function print (head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => String(row[column]).length)))
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) =>
      column < 2 ? cell.padEnd(Number(widths[column])) : cell.padStart(Number(widths[column])))
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`)
  }
}
