import type { Digits } from './attributes.js'
import {
  readChoice, readDigits, readInstant, readLanguage, reflect, share, writeAttribute
} from './attributes.js'
import { TimeElement } from './time-element.js'
import type { View } from './time-element.js'

/** `digits`: `2 days 03:04:05`; `words`: `2 days, 3 hours, 4 minutes, 5 seconds`. */
export type CountdownFormat = 'digits' | 'words'

const FORMATS = ['digits', 'words'] as const
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * `<server-countdown>`: shows the time left until an instant of the server's clock.
 *
 * @attr {string} to - The instant: ISO 8601 with `Z` or an offset, or ms since the Unix epoch.
 * @attr {'digits' | 'words'} format - Default `digits`. `words` needs `Intl.DurationFormat`;
 * browsers without it show digits.
 * @attr {boolean} past - Counts up after the instant. Default: the text stays at zero.
 * @fires {Event} due - Once per value of `to`, when the synced clock reaches it; at once if it has
 * passed. Bubbles.
 * @cssstate due - The instant has been reached.
 */
export class ServerCountdownElement extends TimeElement {
  static override observedAttributes = [
    ...TimeElement.observedAttributes, 'to', ...reflect(this, { format: 'digits', past: false })
  ]

  /** How the remaining time is shown. Reflects the attribute `format`. */
  declare format: CountdownFormat
  /** True: counts up after the instant. Reflects the attribute `past`. */
  declare past: boolean

  constructor () {
    super(renderCountdown)
  }

  /** The instant, as in the attribute `to`. Accepts a Date and ms since the Unix epoch as well. */
  get to (): string {
    return this.getAttribute('to') ?? ''
  }

  set to (to: string | number | Date | null | undefined) {
    writeAttribute(this, 'to', to)
  }
}

function renderCountdown (element: Element, serverTime: number): View {
  const digits = readDigits(element)
  const format = readChoice(element, 'format', FORMATS)
  const language = readLanguage(element)
  const dueAt = readInstant(element)
  if (dueAt === undefined) return { text: undefined, changesAt: Infinity }
  const unitMs = 1000 / 10 ** digits
  // Rounded up before the instant and down after it: zero is shown from the instant on.
  const count = Math.floor((serverTime - dueAt) / unitMs)
  const isOver = count >= 0 && !element.hasAttribute('past')
  const lengthMs = isOver ? 0 : Math.abs(count) * unitMs
  const text = format === 'words' && Intl.DurationFormat
    ? formatWords(language, lengthMs, digits)
    : formatDigits(language, lengthMs, digits)
  return { text, changesAt: isOver ? Infinity : dueAt + (count + 1) * unitMs, dueAt }
}

function formatWords (language: string | undefined, ms: number, digits: Digits): string {
  const format = share(Intl.DurationFormat, language, {
    style: 'long',
    secondsDisplay: 'always',
    // Milliseconds become fractions of the second, not a unit of their own.
    milliseconds: 'numeric',
    fractionalDigits: digits
  })
  return format.format({
    days: Math.floor(ms / DAY_MS),
    hours: Math.floor(ms / HOUR_MS) % 24,
    minutes: Math.floor(ms / 60_000) % 60,
    seconds: Math.floor(ms / 1000) % 60,
    milliseconds: ms % 1000
  })
}

/** `04:05`, `03:04:05`, `2 days 03:04:05`: a time of day in UTC, with the language's separators. */
function formatDigits (language: string | undefined, ms: number, digits: Digits): string {
  const days = Math.floor(ms / DAY_MS)
  const text = share(Intl.DateTimeFormat, language, {
    timeZone: 'UTC',
    hourCycle: 'h23',
    hour: ms < HOUR_MS ? undefined : '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: digits || undefined
  }).format(ms)
  if (days === 0) return text
  const unit = { style: 'unit', unit: 'day', unitDisplay: 'long' } as const
  return `${share(Intl.NumberFormat, language, unit).format(days)} ${text}`
}
