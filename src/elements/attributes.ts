/** Fractional digits of the second. */
export type Digits = 0 | 1 | 2 | 3

/** One of the constructors of `Intl`. */
type FormatterConstructor<Options, Formatter> = new (
  language: string | undefined, options: Options
) => Formatter

/** ISO 8601 with `Z` or an offset. The first group is the date. */
const ISO_8601 = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/
/** March 1973. A smaller number is usually a time in seconds. */
const MIN_NUMBER_MS = 1e11
const MAX_REPORTS = 100
const reports = new Set<string>()
const MAX_FORMATTERS = 100
const formatters = new Map<string, unknown>()
/** Absent in Node.js, where this module may be imported. */
const reducedMotion = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)')

/**
 * Rejects the value of an attribute.
 *
 * @throws a RangeError that names the element, the attribute, the expected and the actual value.
 */
export function refuseAttribute (element: Element, name: string, expected: string): never {
  const value = JSON.stringify(element.getAttribute(name))
  throw new RangeError(`<${element.localName}> expects "${name}" to be ${expected}, got ${value}`)
}

/**
 * Reads an attribute that accepts only certain values.
 *
 * @returns the attribute's value, or the first choice if the attribute is absent.
 * @throws a RangeError for any other value.
 */
export function readChoice<Choice extends string | undefined> (
  element: Element, name: string, choices: readonly Choice[]
): Choice {
  const value = element.getAttribute(name) ?? choices[0]
  return choices.includes(value as Choice)
    ? value as Choice
    : refuseAttribute(element, name, `one of ${choices.filter(Boolean).join(', ')}`)
}

/**
 * The number of fractional digits to show: none if the user prefers reduced motion.
 *
 * @throws a RangeError for anything but 0 to 3.
 */
export function readDigits (element: Element): Digits {
  const digits = Number(readChoice(element, 'digits', ['0', '1', '2', '3'])) as Digits
  return reducedMotion?.matches ? 0 : digits
}

/**
 * The attribute `to` in milliseconds since the Unix epoch; undefined if the attribute is absent.
 *
 * @throws a RangeError for anything but a time in ISO 8601 with `Z` or an offset, or milliseconds.
 */
export function readInstant (element: Element): number | undefined {
  const value = element.getAttribute('to')
  if (value === null) return undefined
  const instantMs = parseInstant(value)
  return isNaN(instantMs)
    ? refuseAttribute(element, 'to', 'ISO 8601 with "Z" or an offset, or ms since the Unix epoch')
    : instantMs
}

function parseInstant (value: string): number {
  const date = ISO_8601.exec(value)?.[1]
  if (date === undefined) {
    const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN
    return ms >= MIN_NUMBER_MS && ms <= 8.64e15 ? ms : NaN
  }
  // Chromium's Date.parse accepts 30 February, Firefox's does not.
  const isDate = String(new Date(date).toJSON()).startsWith(date)
  return isDate ? Date.parse(value) : NaN
}

/**
 * The element's own or inherited `lang`, even from outside a shadow tree.
 *
 * @returns undefined if there is none: `Intl` then uses the browser's language.
 * @throws a RangeError for anything but a language tag.
 */
export function readLanguage (element: Element): string | undefined {
  const owner = element.closest('[lang]')
  if (owner === null) {
    const { host } = element.getRootNode() as Partial<ShadowRoot>
    return host && readLanguage(host)
  }
  const tag = owner.getAttribute('lang') || undefined
  try {
    Intl.getCanonicalLocales(tag)
  } catch {
    refuseAttribute(owner, 'lang', 'a language tag')
  }
  return tag
}

/** Formatters are expensive to create: elements with the same language and options share one. */
export function share<Options, Formatter> (
  Constructor: FormatterConstructor<Options, Formatter>,
  language: string | undefined,
  options: Options
): Formatter {
  const key = Constructor.name + JSON.stringify([language, options])
  const known = formatters.get(key) as Formatter | undefined
  if (known !== undefined) return known
  const formatter = new Constructor(language, options)
  if (formatters.size === MAX_FORMATTERS) formatters.clear()
  formatters.set(key, formatter)
  return formatter
}

/**
 * Defines a property of a class for each attribute, as HTML does. The property has the attribute's
 * name in camel case.
 *
 * @param defaults the value of each property while its attribute is absent, by attribute. False
 * marks a boolean attribute.
 * @returns the attributes to observe.
 */
export function reflect (
  { prototype }: { prototype: object },
  defaults: Readonly<Record<string, string | number | boolean>>
): string[] {
  for (const [name, absent] of Object.entries(defaults)) {
    const property = name.replace(/-./, ([, letter]) => String(letter).toUpperCase())
    Object.defineProperty(prototype, property, {
      configurable: true,
      enumerable: true,
      get (this: Element) {
        const value = this.getAttribute(name)
        if (absent === false) return value !== null
        return value === null ? absent : absent === 0 ? Number(value) : value
      },
      set (this: Element, value: unknown) {
        writeAttribute(this, name, value)
      }
    })
  }
  return Object.keys(defaults)
}

/** Removes the attribute for `''`, false, null and undefined. */
export function writeAttribute (element: Element, name: string, value: unknown): void {
  if (value === '' || value === false || value == null) element.removeAttribute(name)
  else if (value === true) element.setAttribute(name, '')
  else element.setAttribute(name, String(value instanceof Date ? value.getTime() : value))
}

/** Reports an error once, even if a hundred elements have the same mistake. */
export function reportOnce (error: unknown): void {
  const message = String(error)
  if (reports.has(message)) return
  if (reports.size === MAX_REPORTS) reports.clear()
  reports.add(message)
  reportError(error)
}
