/** One of the constructors of `Intl`. */
type FormatterConstructor<Options, Formatter> = new (
  language: string | undefined, options: Options
) => Formatter

const MAX_SHARED = 100
const shared = new Map<string, unknown>()

/** Formatters are expensive to create: elements with the same language and options share one. */
export function share<Options, Formatter> (
  Constructor: FormatterConstructor<Options, Formatter>,
  language: string | undefined,
  options: Options
): Formatter {
  const key = Constructor.name + JSON.stringify([language, options])
  const known = shared.get(key) as Formatter | undefined
  if (known !== undefined) return known
  const formatter = new Constructor(language, options)
  if (shared.size === MAX_SHARED) shared.clear()
  shared.set(key, formatter)
  return formatter
}
