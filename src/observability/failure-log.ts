import type { Log } from './log.js'
import type { Timers } from '../util/timers.js'
import { toNativePromise, isThenable } from '../util/values.js'

/** Logs the failures of something that may fail again and again, without flooding the log. */
export interface Fault {
  /** Must be called after each failure. */
  occurred (err: unknown, fields?: object): void
  /** Must be called after each success. */
  ended (): void
}

/** How long after an error line further failures are logged at debug level only. */
const QUIET_MS = 10_000

/**
 * Creates the log of something that fails and recovers by itself, such as a clock. Writes one error
 * line when the failures start, and one, with their number, when they end. Failures between the two
 * lines are logged at debug level.
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
 * Creates the log of a callback that any client can make fail. Writes at most one error line in ten
 * seconds, with the number of failures since the last line. Failures in between are logged at debug
 * level.
 *
 * @param subject what fails, as the start of a sentence: `onMessage`.
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

/**
 * Calls a callback of the application. A throw or a rejection is reported to `fault` and does not
 * reach the caller.
 *
 * @returns true if the callback succeeded, false if it failed; for an asynchronous callback, a
 * promise of this result, which never rejects.
 */
export function attempt (
  fault: Fault, call: () => unknown, fields?: object
): boolean | Promise<boolean> {
  try {
    const result = call()
    if (isThenable(result)) {
      return toNativePromise(result).then(
        () => worked(fault),
        (err: unknown) => failed(fault, err, fields)
      )
    }
    return worked(fault)
  } catch (err) {
    return failed(fault, err, fields)
  }
}

function worked (fault: Fault): true {
  fault.ended()
  return true
}

function failed (fault: Fault, err: unknown, fields: object | undefined): false {
  fault.occurred(err, fields)
  return false
}
