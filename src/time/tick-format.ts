import type { Tick } from '../api/content.js'
import type { Format, FormatName } from '../api/option-values.js'
import type { OutageLog } from '../observability/failure-log.js'
import { encodeFrame } from '../protocol/frame.js'
import type { Frame } from '../protocol/frame.js'
import { ignoreResult, isThenable, show } from '../util/values.js'
import { tickText } from '../protocol/time-v1-text.js'

/** The built-in formats. Each shows when the tick is sent. */
export const FORMATS: Readonly<Record<FormatName, Format>> = {
  /** RFC 3339, in UTC with milliseconds: `2026-11-22T14:00:05.000Z`. */
  iso: ({ sent }) => new Date(sent).toISOString(),
  /** `Date#toString`, in the server's time zone. */
  'date-string': ({ sent }) => new Date(sent).toString(),
  /** Whole milliseconds since the Unix epoch. */
  timestamp: ({ sent }) => String(new Date(sent).getTime()),
  /** The tick as a JSON object: the tick message of `time.v1`. */
  json: tickText
}

/**
 * Creates a function that encodes a tick. It returns undefined, and reports to `outageLog`, if the
 * format fails.
 */
export function createTickEncoder (
  format: Format, outageLog: OutageLog
): (tick: Tick) => Frame | undefined {
  return (tick) => {
    try {
      const output: unknown = format(tick)
      if (!isSendable(output)) {
        if (isThenable(output)) ignoreResult(output)
        const expected = 'a non-empty string or bytes'
        throw new TypeError(`the formatter must return ${expected}, got ${show(output)}`)
      }
      outageLog.worked()
      return encodeFrame(output)
    } catch (err) {
      outageLog.failed(err)
      return undefined
    }
  }
}

function isSendable (output: unknown): output is string | Uint8Array {
  return output instanceof Uint8Array || (typeof output === 'string' && output !== '')
}
