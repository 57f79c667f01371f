import type { BackplaneHealth } from '../../../src/cluster/backplane-health.js'
import type { BackplaneStats } from '../../../src/api/stats.js'

/** Remembers what it was told. */
export function createFakeHealth (): BackplaneHealth & { readonly told: unknown[] } {
  const told: unknown[] = []
  return {
    told,
    failed: (side, err) => { told.push([side, err]) },
    worked: (side) => { told.push(side) },
    rejected: (err) => { told.push(['rejected', err]) },
    logChanges () {}
  }
}

export function createBackplaneCounters (): BackplaneStats {
  return { published: 0, received: 0, lost: 0, duplicate: 0, stale: 0, invalid: 0, errors: 0 }
}
