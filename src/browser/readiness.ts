import { ServerClockError } from './clock-errors.js'
import { expectNumber } from './clock-options.js'
import type { ReadyOptions } from './clock-options.js'
import type { ClockState } from './connection/connection.js'

/** The promises of `ready()`. */
export interface Readiness {
  /** Resolves once the error bound is small enough; rejects as `ServerClock.ready()` does. */
  wait (options: ReadyOptions): Promise<void>
  /**
   * Settles the promises whose condition is met. Must be called whenever the error bound or the
   * state has changed.
   */
  checkWaiting (): void
}

/**
 * @param currentError returns the clock's error bound, in milliseconds.
 * @param currentState returns the clock's state: `closed` and `refused` reject the promises.
 */
export function createReadiness (
  currentError: () => number, currentState: () => ClockState
): Readiness {
  const waiting = new Set<() => void>()

  return {
    wait: ({ error = Infinity, signal }) => new Promise((resolve, reject) => {
      expectNumber('error', error, 'more than 0', (ms) => ms > 0)
      const check = (): void => {
        const stateError = stateErrorOf(currentState())
        if (signal?.aborted) reject(signal.reason)
        else if (stateError) reject(stateError)
        else if (currentError() <= Math.min(error, Number.MAX_VALUE)) resolve()
        else return
        waiting.delete(check)
        signal?.removeEventListener('abort', check)
      }
      waiting.add(check)
      signal?.addEventListener('abort', check)
      check()
    }),
    checkWaiting () {
      for (const check of waiting) check()
    }
  }
}

function stateErrorOf (state: ClockState): ServerClockError | undefined {
  if (state === 'closed') {
    return new ServerClockError('CLOSED', 'The clock is closed: call open() first')
  }
  if (state !== 'refused') return undefined
  return new ServerClockError('REFUSED', 'The server refuses this client: see the event "refused"')
}
