import type { FastifyBaseLogger } from 'fastify'

/**
 * Something of the application's that may fail again and again, told in two log
 * lines: one error when it starts to fail, one when it works again, with the count.
 */
export interface Fault {
  /** It failed: logged at error level the first time, at debug level from then on. */
  occurred (err: unknown, fields?: object): void
  /** It worked: logged at error level, for whoever saw the first line, if it had failed before. */
  ended (): void
}

/** @param subject what fails, as the start of a sentence: `the formatter`. */
export function createFault (log: FastifyBaseLogger, subject: string): Fault {
  let failures = 0
  return {
    occurred (err, fields) {
      failures++
      log[failures === 1 ? 'error' : 'debug']({ ...fields, err }, `${subject} failed`)
    },
    ended () {
      if (failures === 0) return
      log.error({ failures }, `${subject} works again`)
      failures = 0
    }
  }
}
