import type { Fault } from '../../../src/observability/failure-log.js'

/** Remembers what it was told: an error for each failure, `worked` for each success. */
export function createFakeFault (): Fault & { readonly told: unknown[] } {
  const told: unknown[] = []
  return {
    told,
    occurred: (err) => { told.push(err) },
    ended: () => { told.push('worked') }
  }
}
