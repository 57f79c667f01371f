import type { Log } from './log.js'
import type { Timers } from '../util/timers.js'

/** Something of the application's that may fail again and again, and must not flood the log. */
export interface Fault {
  /** It failed. */
  occurred (err: unknown, fields?: object): void
  /** It worked. */
  ended (): void
}

/** How long a callback that fails is quiet after an error line. */
const QUIET_MS = 10_000

/**
 * For what fails and works by turns of its own, such as a clock: one error line when
 * it begins to fail, and one, for whoever saw the first, when it works again, with
 * the count. What lies between is logged at debug level.
 *
 * @param subject what fails, as the start of a sentence: `the formatter`.
 */
export function createFault (log: Log, subject: string): Fault {
  let failures = 0
  return {
    occurred (err) {
      failures++
      log[failures === 1 ? 'error' : 'debug']({ err }, `${subject} failed`)
    },
    ended () {
      if (failures === 0) return
      log.error({ failures }, `${subject} works again`)
      failures = 0
    }
  }
}

/**
 * For a callback that clients can make fail, each for itself: an error line at most
 * every ten seconds, with the number of failures since the one before. Those between
 * are logged at debug level.
 *
 * @param subject the callback's name.
 */
export function createCallbackFault (
  log: Log, subject: string, timers: Timers
): Fault {
  let failures = 0
  let quietUntilMs = -Infinity
  return {
    occurred (err, fields) {
      failures++
      const nowMs = timers.monotonic()
      const isQuiet = nowMs < quietUntilMs
      log[isQuiet ? 'debug' : 'error']({ ...fields, failures, err }, `${subject} failed`)
      if (isQuiet) return
      failures = 0
      quietUntilMs = nowMs + QUIET_MS
    },
    ended () {}
  }
}
