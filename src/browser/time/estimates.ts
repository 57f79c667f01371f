import { createEstimator, UNKNOWN } from './estimator.js'
import type { Estimate, Estimator } from './estimator.js'
import type { Quantum } from './device-clock.js'

/** The server whose time a message carries. Compare `clockSteps` only within one `server`. */
export interface Source {
  /** Random per server process. */
  readonly server: unknown
  /** How often that server's clock has stepped. */
  readonly clockSteps: unknown
}

/** One estimate per server. */
export interface Estimates {
  /**
   * The estimator of this server. It is new if the server is unknown or its clock has stepped.
   *
   * @param isOnlyServer true if only this server's estimate counts from now on: a WebSocket leads
   * to one server, but requests may be answered by several in turn.
   */
  estimatorFor (source: Source, isOnlyServer: boolean): Estimator
  /** Selects the estimate with the smallest error. */
  choose (localMs: number): void
  /** The selected estimate, for any time of the local clock. */
  at (localMs: number): Estimate
  /** Forgets all estimates. */
  clear (): void
}

interface Entry {
  readonly clockSteps: unknown
  readonly estimator: Estimator
}

const MAX_SERVERS = 4

export function createEstimates (quantum: Quantum, priorSkew: number): Estimates {
  /** In the order of their latest use. */
  const entries = new Map<unknown, Entry>()
  let candidates: Estimator[] = []
  let chosen: Estimator | undefined

  function findOrCreate ({ server, clockSteps }: Source): Estimator {
    const known = entries.get(server)
    const isSame = known?.clockSteps === clockSteps
    const entry = known && isSame
      ? known
      : { clockSteps, estimator: createEstimator(quantum, priorSkew) }
    entries.delete(server)
    entries.set(server, entry)
    for (const name of [...entries.keys()].slice(0, -MAX_SERVERS)) entries.delete(name)
    return entry.estimator
  }

  return {
    estimatorFor (source, isOnlyServer) {
      const estimator = findOrCreate(source)
      const all = [...entries.values()].map((entry) => entry.estimator)
      candidates = isOnlyServer ? [estimator] : all
      return estimator
    },
    choose (localMs) {
      const errorOf = (estimator: Estimator): number => estimator.at(localMs).error
      chosen = candidates.reduce<Estimator | undefined>((best, estimator) =>
        best && errorOf(best) <= errorOf(estimator) ? best : estimator, undefined)
    },
    at: (localMs) => chosen?.at(localMs) ?? UNKNOWN,
    clear () {
      entries.clear()
      candidates = []
      chosen = undefined
    }
  }
}
