/** What the documents describe already and the code does not have yet. */
const PENDING = [
  'serveClient', 'expiresAt', 'transport',
  'sync.skew', 'autoOpen'
]

/** What programs in the documents use of it. */
const PENDING_IN_PROGRAMS = [
  'autoOpen', "transport: 'http'", 'sync = ', 'immediate: true', 'detail.code',
  'ServerClock<', "'capacitor", 'ServerClock()', 'signal', './clock.js'
]

/** @returns the documented names or rows, without those that the code does not have yet. */
export function withoutPending (
  documented: readonly string[], actual: readonly string[]
): string[] {
  return documented.filter((row) => actual.includes(row) ||
    !PENDING.some((name) => row === name || row.includes(`\`${name}\``)))
}

export function isPending ({ source }: { source: string }): boolean {
  return PENDING_IN_PROGRAMS.some((text) => source.includes(text))
}
