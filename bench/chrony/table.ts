/** How far a clock is off, and by how much it says it may be, in milliseconds. */
export interface Reading {
  readonly errorMs: number
  readonly boundMs: number
}

export interface Results {
  readonly name: string
  readonly profile: string
  readonly readings: Reading[]
}

const COLUMNS = ['', 'p50', 'p95', 'max', 'bound p50', 'readings', 'bound broken'] as const

/** One table for each network. */
export function toTable (profiles: readonly string[], results: readonly Results[]): string {
  return profiles.map((profile) => {
    const rows = results.filter((result) => result.profile === profile).map(toRow)
    return `\n${profile}\n${[COLUMNS, ...rows].map(toLine).join('\n')}\n`
  }).join('')
}

function toRow ({ name, readings }: Results): readonly string[] {
  const errors = readings.map(({ errorMs }) => Math.abs(errorMs)).sort((a, b) => a - b)
  const bounds = readings.map(({ boundMs }) => boundMs).sort((a, b) => a - b)
  const isBroken = ({ errorMs, boundMs }: Reading) => Math.abs(errorMs) > boundMs
  return [
    name,
    ...[quantile(errors, 0.5), quantile(errors, 0.95), quantile(errors, 1), quantile(bounds, 0.5)],
    String(readings.length),
    String(readings.filter(isBroken).length)
  ]
}

/** @param sorted ascending. */
function quantile (sorted: readonly number[], share: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return value === undefined ? 'none' : value.toFixed(2)
}

function toLine ([name = '', ...cells]: readonly string[]): string {
  return name.padEnd(34) + cells.map((cell) => cell.padStart(14)).join('')
}
