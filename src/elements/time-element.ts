import { ServerClock } from '../browser/index.js'
import {
  readChoice, readLanguage, reflect, refuseAttribute, reportOnce, share, writeAttribute
} from './attributes.js'
import { createSharedClocks } from './shared-clocks.js'
import type { SharedClock, Transport } from './shared-clocks.js'

/** What an element shows at an instant of the server's clock. */
export interface View {
  /** Undefined shows the element's own content, the fallback. */
  readonly text: string | undefined
  /** The server time at which `text` changes. */
  readonly changesAt: number
  /** The server time at which a countdown is due. */
  readonly dueAt?: number | undefined
}

/** @throws a RangeError for a wrong attribute. */
export type Render = (element: Element, serverTime: number) => View

/** The states listed in `data-state`, and set as custom states. */
type State = 'synced' | 'offline' | 'refused' | 'due' | 'invalid'

/** What a `clock` property can be set to. */
type GivenClock = ServerClock | null | undefined

const STYLE = `
  :host { display: inline-block; font-variant-numeric: tabular-nums }
  :host([hidden]), [hidden] { display: none }
`
const TRANSPORTS = ['http', 'websocket', 'auto'] as const
/** The URLs that `ServerClock` accepts. */
const CLOCK_URL = /^(http|ws)s?:[^#]*$/
const sharedClocks = createSharedClocks((url, transport) => (
  new ServerClock(url, { transport })
))
let styleSheet: CSSStyleSheet | undefined

/** Importing this module in Node.js, where there is no `HTMLElement`, does nothing. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement)

/**
 * The common part of `<server-time>` and `<server-countdown>`.
 *
 * @attr {string} src - URL of the time socket, relative to the page. Default: the time socket that
 * served the script, or `/time` in a bundle.
 * @attr {'http' | 'websocket' | 'auto'} transport - How the clock syncs. Default `http`: no
 * connection stays open.
 * @attr {string} lang - Language of the text. Default: inherited, else the browser's.
 * @attr {0 | 1 | 2 | 3} digits - Fractional digits of the second. Default 0. If the user prefers
 * reduced motion, none are shown.
 * @slot - The fallback: shown until the clock has synced, and while an attribute is wrong.
 * @csspart time - The text. Its `title` shows the error bound.
 * @cssstate synced - The error bound of the clock is known.
 * @cssstate offline - The server cannot be reached.
 * @cssstate refused - The server has refused this page.
 * @cssstate invalid - An attribute is wrong.
 */
export abstract class TimeElement extends Base {
  static observedAttributes = [
    'lang', ...reflect(this, { src: '', transport: 'http', digits: 0 })
  ]

  /** URL of the time socket. Reflects the attribute `src`. */
  declare src: string
  /** How the clock syncs. Reflects the attribute `transport`. */
  declare transport: Transport
  /** Fractional digits of the second, 0 to 3. Reflects the attribute `digits`. */
  declare digits: number

  readonly #render: Render
  readonly #internals: ElementInternals
  readonly #fallback: HTMLSlotElement
  readonly #time: HTMLSpanElement
  readonly #painter = (): void => { if (this.#shared) this.#paint(this.#shared) }
  #given: GivenClock
  #shared: SharedClock | undefined
  #firedFor: number | undefined
  #states: string | undefined

  constructor (render: Render) {
    super()
    this.#render = render
    this.#internals = this.attachInternals()
    this.#internals.role = 'timer'
    this.#fallback = document.createElement('slot')
    this.#time = document.createElement('span')
    this.#time.setAttribute('part', 'time')
    // Isolates the text from the writing direction of its surroundings.
    this.#time.dir = 'auto'
    this.#time.hidden = true
    const root = this.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [styleSheet ??= createStyleSheet()]
    root.append(this.#fallback, this.#time)
  }

  /**
   * The clock that the element shows: its own, shared with the elements of the same `src` and
   * `transport`, or one that the page sets. The element never closes a clock that the page has set.
   */
  get clock (): ServerClock | undefined {
    return this.#given ?? this.#shared?.clock
  }

  set clock (clock: GivenClock) {
    this.#given = clock
    if (this.isConnected) this.#connect()
  }

  connectedCallback (): void {
    adoptEarlyProperties(this)
    this.#connect()
  }

  disconnectedCallback (): void {
    this.#shared?.remove(this.#painter)
    this.#shared = undefined
  }

  attributeChangedCallback (name: string): void {
    if (!this.isConnected) return
    if (name === 'src' || name === 'transport') this.#connect()
    else this.#painter()
  }

  #connect (): void {
    const previous = this.#shared
    // A cloned element already has the `data-state` of its original.
    this.#states = undefined
    try {
      this.#shared = this.#given ? sharedClocks.wrap(this.#given) : openClock(this)
      if (this.#shared === previous) return this.#painter()
      this.#shared.add(this.#painter)
    } catch (error) {
      this.#shared = undefined
      this.#show(undefined, ['invalid'])
      reportOnce(error)
    }
    previous?.remove(this.#painter)
  }

  #paint (shared: SharedClock): void {
    const { clock, wasSynced, trouble } = shared
    const nowMs = clock.now()
    const states: State[] = clock.synced ? ['synced'] : []
    if (trouble !== undefined) states.push(trouble)
    try {
      const { text, changesAt, dueAt = Infinity } = this.#render(this, nowMs)
      const isDue = wasSynced && dueAt <= nowMs
      if (isDue) states.push('due')
      this.#show(wasSynced ? text : undefined, states, describeError(this, clock))
      shared.wakeAt(this.#painter, wasSynced ? changesAt : Infinity)
      if (isDue && clock.synced) this.#fireDue(dueAt)
    } catch (error) {
      this.#show(undefined, [...states, 'invalid'])
      shared.wakeAt(this.#painter, Infinity)
      reportOnce(error)
    }
  }

  #fireDue (dueAt: number): void {
    if (this.#firedFor === dueAt) return
    this.#firedFor = dueAt
    /** @internal For the manifest: only `<server-countdown>` has this event, and declares it. */
    this.dispatchEvent(new Event('due', { bubbles: true }))
  }

  /** Changes only what differs, so that a selection survives and no needless layout occurs. */
  #show (text: string | undefined, states: readonly State[], title = ''): void {
    const time = this.#time
    const hasText = text !== undefined
    if (time.hidden === hasText) {
      time.hidden = !hasText
      this.#fallback.hidden = hasText
    }
    if (hasText && time.textContent !== text) time.textContent = text
    if (time.title !== title) time.title = title
    const list = states.join(' ')
    if (list === this.#states) return
    this.#states = list
    writeAttribute(this, 'data-state', list)
    showCustomStates(this.#internals.states, states)
  }
}

/** @throws a RangeError for a wrong `src` or `transport`. */
function openClock (element: TimeElement): SharedClock {
  const transport = readChoice(element, 'transport', TRANSPORTS)
  return sharedClocks.open(resolveUrl(element), transport)
}

function resolveUrl (element: TimeElement): string {
  const src = element.src || ServerClock.defaultUrl
  try {
    const { href } = new URL(src, element.baseURI)
    if (CLOCK_URL.test(href)) return href
  } catch {
    // Not a URL.
  }
  return refuseAttribute(element, 'src', 'a URL with http, https, ws or wss, and without a fragment')
}

/**
 * Sets the properties again that were set before the element was defined: they hide the accessors.
 */
function adoptEarlyProperties (element: TimeElement): void {
  for (const [name, value] of Object.entries(element)) {
    if (!(name in Object.getPrototypeOf(element))) continue
    Reflect.deleteProperty(element, name)
    Reflect.set(element, name, value)
  }
}

function describeError (element: Element, { synced, error }: ServerClock): string {
  if (!synced) return ''
  const unit = { style: 'unit', unit: 'millisecond' } as const
  return `± ${share(Intl.NumberFormat, readLanguage(element), unit).format(Math.ceil(error))}`
}

function showCustomStates (
  customStates: CustomStateSet | undefined, states: readonly State[]
): void {
  try {
    customStates?.clear()
    for (const state of states) customStates?.add(state)
  } catch {
    // Chromium up to version 124 accepts only names that begin with two hyphens.
  }
}

function createStyleSheet (): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(STYLE)
  return sheet
}
