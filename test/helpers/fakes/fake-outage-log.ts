import type { OutageLog } from '../../../src/observability/failure-log.js'

/** Remembers what it was told: an error for each failure, `worked` for each success. */
export function createFakeOutageLog (): OutageLog & { readonly told: unknown[] } {
  const told: unknown[] = []
  return {
    told,
    failed: (err) => { told.push(err) },
    worked: () => { told.push('worked') }
  }
}
