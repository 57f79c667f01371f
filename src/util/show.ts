import { inspect } from 'node:util'

const MAX_LENGTH = 100

/** A value as an error message shows it: one line, not too long, whatever the value is. */
export function show (value: unknown): string {
  const text = inspectSafely(value).replace(/\s*\n\s*/g, ' ')
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}…`
}

/** Getters and proxies of the value's own may throw. */
function inspectSafely (value: unknown): string {
  try {
    return inspect(value, { depth: 0, customInspect: false, breakLength: Infinity })
  } catch {
    return typeof value
  }
}
