import { ServerClockError } from './clock-errors.js'
import type { ReadyOptions } from './clock-options.js'
import type { ClockState } from './connection/connection.js'

/** Those who wait until a clock is known well enough. */
export interface Readiness {
  /** Resolves once the error is small enough; rejects as `ServerClock.ready()` does. */
  wait (options: ReadyOptions): Promise<void>
  /** To be called whenever the error or the state has changed. */
  settle (): void
}

/**
 * @param currentError of the clock, in milliseconds.
 * @param currentState of the clock: nobody waits while it is closed or refused.
 */
export function createReadiness (
  currentError: () => number, currentState: () => ClockState
): Readiness {
  const waiting = new Set<() => void>()

  return {
    wait: ({ error = Infinity, signal }) => new Promise((resolve, reject) => {
      const check = (): void => {
        const obstacle = obstacleOf(currentState())
        if (signal?.aborted) reject(signal.reason)
        else if (obstacle) reject(obstacle)
        else if (currentError() <= Math.min(error, Number.MAX_VALUE)) resolve()
        else return
        waiting.delete(check)
        signal?.removeEventListener('abort', check)
      }
      waiting.add(check)
      signal?.addEventListener('abort', check)
      check()
    }),
    settle () {
      for (const check of waiting) check()
    }
  }
}

function obstacleOf (state: ClockState): ServerClockError | undefined {
  if (state === 'closed') {
    return new ServerClockError('CLOSED', 'The clock is closed: call open() first')
  }
  if (state !== 'refused') return undefined
  return new ServerClockError('REFUSED', 'The server refuses this client: see the event "refused"')
}
