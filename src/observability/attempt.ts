import type { Fault } from './failure-log.js'
import { adopt, isThenable } from '../util/callbacks.js'

/**
 * Calls a callback of the application. A throw or a rejection is told to `fault` and does not
 * reach the caller.
 *
 * @returns true if the callback worked: at once if it is synchronous, else a promise of that, which
 * never rejects.
 */
export function attempt (
  fault: Fault, call: () => unknown, fields?: object
): boolean | Promise<boolean> {
  try {
    const result = call()
    if (isThenable(result)) {
      return adopt(result).then(
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
