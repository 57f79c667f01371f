import { inspect } from 'node:util'

/** A value as an error message shows it: one line, not too long, whatever the value is. */
export function show (value: unknown): string {
  return inspect(value, {
    depth: 0,
    customInspect: false,
    breakLength: Infinity,
    maxArrayLength: 5,
    maxStringLength: 60
  })
}
