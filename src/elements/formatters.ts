const MAX_SHARED = 100
const shared = new Map<string, unknown>()

/**
 * Formatters of `Intl` are expensive to create: all elements with the same settings share one.
 *
 * @param settings everything that `create` depends on.
 */
export function share<Formatter> (
  settings: readonly unknown[], create: () => Formatter
): Formatter {
  const key = settings.join('|')
  const known = shared.get(key) as Formatter | undefined
  if (known !== undefined) return known
  const formatter = create()
  if (shared.size === MAX_SHARED) shared.clear()
  shared.set(key, formatter)
  return formatter
}

/** A number with a unit, both as the language writes them. */
export function formatUnit (
  language: string | undefined, value: number, unit: 'day' | 'millisecond'
): string {
  const options = { style: 'unit', unit, unitDisplay: unit === 'day' ? 'long' : 'short' } as const
  return share([unit, language], () => new Intl.NumberFormat(language, options)).format(value)
}
