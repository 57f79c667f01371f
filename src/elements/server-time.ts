import type { Digits } from './attributes.js'
import {
  readChoice, readDigits, readLanguage, reflect, refuseAttribute, share
} from './attributes.js'
import { TimeElement } from './time-element.js'
import type { View } from './time-element.js'

/** As in the options `dateStyle` and `timeStyle` of `Intl.DateTimeFormat`. */
export type DateTimeStyle = 'full' | 'long' | 'medium' | 'short'

/** As in the option `hourCycle` of `Intl.DateTimeFormat`. */
export type HourCycle = 'h11' | 'h12' | 'h23' | 'h24'

const TIME_STYLES = ['medium', 'full', 'long', 'short'] as const
const DATE_STYLES = [undefined, ...TIME_STYLES]
const HOUR_CYCLES = [undefined, 'h11', 'h12', 'h23', 'h24'] as const

/**
 * `<server-time>`: shows the server's time, repainted at the instant at which the text changes.
 *
 * @attr {string} time-zone - IANA name of the time zone. Default: the device's.
 * @attr {'full' | 'long' | 'medium' | 'short'} date-style - Shows the date as well.
 * @attr {'full' | 'long' | 'medium' | 'short'} time-style - Default `medium`.
 * @attr {'h11' | 'h12' | 'h23' | 'h24'} hour-cycle - Default: that of the language.
 */
export class ServerTimeElement extends TimeElement {
  static override observedAttributes = [
    ...TimeElement.observedAttributes,
    ...reflect(this, { 'time-zone': '', 'date-style': '', 'time-style': 'medium', 'hour-cycle': '' })
  ]

  /** IANA name of the time zone, such as `Asia/Tokyo`. Reflects the attribute `time-zone`. */
  declare timeZone: string
  /** How the date is shown; `''` hides it. Reflects the attribute `date-style`. */
  declare dateStyle: DateTimeStyle | ''
  /** How the time of day is shown. Reflects the attribute `time-style`. */
  declare timeStyle: DateTimeStyle
  /** 12 or 24 hours; `''` follows the language. Reflects the attribute `hour-cycle`. */
  declare hourCycle: HourCycle | ''

  constructor () {
    super(renderTime)
  }
}

function renderTime (element: Element, serverTime: number): View {
  const digits = readDigits(element)
  const unitMs = 1000 / 10 ** digits
  const count = Math.floor(serverTime / unitMs)
  const shownMs = count * unitMs
  const language = readLanguage(element)
  const format = readFormat(element, language, digits)
  const changesAt = (count + 1) * unitMs
  if (digits === 0) return { text: format.format(shownMs), changesAt }
  const texts = format.formatToParts(shownMs).map(({ type, value }) => (
    type === 'second' ? formatSeconds(language, shownMs, value.length, digits) : value
  ))
  return { text: texts.join(''), changesAt }
}

function readFormat (
  element: Element, language: string | undefined, digits: Digits
): Intl.DateTimeFormat {
  const timeZone = element.getAttribute('time-zone') || undefined
  const dateStyle = readChoice(element, 'date-style', DATE_STYLES)
  const timeStyle = readChoice(element, 'time-style', TIME_STYLES)
  const hourCycle = readChoice(element, 'hour-cycle', HOUR_CYCLES)
  const options = {
    timeZone,
    dateStyle,
    // Fractions of a second need seconds.
    timeStyle: digits > 0 && timeStyle === 'short' ? 'medium' : timeStyle,
    hourCycle
  } as const
  try {
    return share(Intl.DateTimeFormat, language, options)
  } catch {
    return refuseAttribute(element, 'time-zone', 'the IANA name of a time zone')
  }
}

/** Seconds with fractions: `Intl.DateTimeFormat` cannot combine its own fractions with a style. */
function formatSeconds (
  language: string | undefined, ms: number, minimumIntegerDigits: number, digits: Digits
): string {
  return share(Intl.NumberFormat, language, {
    minimumIntegerDigits, minimumFractionDigits: digits, maximumFractionDigits: digits
  }).format(ms % 60_000 / 1000)
}
