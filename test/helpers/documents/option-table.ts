import type { TimeSocketOptions } from '../../../src/api/options.js'
import { resolveOptions } from '../../../src/config/resolve-options.js'
import { FORMATS } from '../../../src/time/tick-format.js'

export const PLUGIN_TIMEOUT_MS = 10_000

/** All options as the table should show them: name and default, nested ones as `shutdown.grace`. */
export function defaults (): string[] {
  const resolved: Record<string, unknown> = resolveOptions({}, PLUGIN_TIMEOUT_MS)
  return optionNames().flatMap((name) => {
    const value = resolved[name]
    const fields = Object.entries(isRecord(value) ? value : {})
    const rows = fields.filter(([, field]) => !isFunction(field)).map(([field, value]) =>
      `\`${name}.${field}\` ${print(value)}`)
    if (rows.length > 0) return rows
    const [format] = Object.entries(FORMATS).find(([, format]) => format === value) ?? []
    return `\`${name}\` ${print(format ?? value)}`
  })
}

/** As the error lists them that refuses an unknown one. */
export function optionNames (): string[] {
  try {
    resolveOptions({ unknown: 1 } as TimeSocketOptions, PLUGIN_TIMEOUT_MS)
  } catch (err) {
    return /one of ([\w, ]+), got/.exec((err as Error).message)?.[1]?.split(', ') ?? []
  }
  return []
}

export function print (value: unknown): string {
  if (value === undefined || (isFunction(value) && value.name === 'doNothing')) return 'none'
  if (typeof value === 'string') return `\`'${value}'\``
  if (Array.isArray(value)) return `\`${JSON.stringify(value)}\``
  if (!isRecord(value)) return `\`${String(value)}\``
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${String(field)}`)
  return fields.length === 0 ? '`{}`' : `\`{ ${fields.join(', ')} }\``
}

export function isAccepted (options: object): boolean {
  try {
    resolveOptions(options, PLUGIN_TIMEOUT_MS)
    return true
  } catch {
    return false
  }
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFunction (value: unknown): value is Function {
  return typeof value === 'function'
}
