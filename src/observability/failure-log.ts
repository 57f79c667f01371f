import type { Log } from './log.js'
import type { Timers } from '../util/timers.js'
import { toNativePromise, isThenable } from '../util/values.js'

/** Logs the failures of something that may fail again and again, without flooding the log. */
export interface FailureLog {
  /** Must be called after each failure. */
  failed (err: unknown, fields?: object): void
}

/** Logs the failures of something that fails and recovers by itself, such as a clock. */
export interface OutageLog {
  /** Must be called after each failure. */
  failed (err: unknown): void
  /** Must be called after each success. */
  worked (): void
}

/** How long after an error line further failures are logged at debug level only. */
const QUIET_MS = 10_000

/**
 * Writes one error line when the failures start, and one, with their number, when they end; at most
 * one of each in ten seconds. All other failures are logged at debug level.
 *
 * @param subject what fails, as the start of a sentence: `the formatter`.
 */
export function createOutageLog (log: Log, subject: string, timers: Timers): OutageLog {
  let failures = 0
  let isAnnounced = false
  let quietUntilMs = -Infinity
  return {
    failed (err) {
      failures++
      const nowMs = timers.monotonic()
      if (isAnnounced || nowMs < quietUntilMs) return log.debug({ err }, `${subject} failed`)
      isAnnounced = true
      quietUntilMs = nowMs + QUIET_MS
      log.error({ err }, `${subject} failed`)
    },
    worked () {
      if (!isAnnounced) return
      log.error({ failures }, `${subject} works again`)
      isAnnounced = false
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
export function createFailureLog (log: Log, subject: string, timers: Timers): FailureLog {
  let failures = 0
  let quietUntilMs = -Infinity
  return {
    failed (err, fields) {
      failures++
      const nowMs = timers.monotonic()
      const isQuiet = nowMs < quietUntilMs
      log[isQuiet ? 'debug' : 'error']({ ...fields, failures, err }, `${subject} failed`)
      if (isQuiet) return
      failures = 0
      quietUntilMs = nowMs + QUIET_MS
    }
  }
}

/**
 * Calls a callback of the application. A throw or a rejection is logged and does not reach the
 * caller.
 *
 * @returns true if the callback succeeded, false if it failed; for an asynchronous callback, a
 * promise of this result, which never rejects.
 */
export function attempt (
  failureLog: FailureLog, call: () => unknown, fields?: object
): boolean | Promise<boolean> {
  function failed (err: unknown): false {
    failureLog.failed(err, fields)
    return false
  }

  try {
    const result = call()
    return isThenable(result) ? toNativePromise(result).then(() => true, failed) : true
  } catch (err) {
    return failed(err)
  }
}
