import { setMaxListeners } from 'node:events'
import type { ServerClock } from '../../../src/browser/index.js'
import { createFakeTime } from './fake-time.js'
import type { FakeTime } from './fake-time.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** What of a custom element the browser calls. */
interface Reactions {
  connectedCallback? (): void
  disconnectedCallback? (): void
  attributeChangedCallback? (name: string): void
}

/** The parts of `HTMLElement` that the elements use. */
export class FakeElement extends EventTarget {
  static observedAttributes?: readonly string[]
  static readonly page = 'https://example.org/page/'
  readonly localName: string
  readonly attributes = new Map<string, string>()
  readonly internals = { role: '', states: new Set<string>() as Set<string> | undefined }
  readonly baseURI = FakeElement.page
  readonly children: FakeElement[] = []
  parent: FakeElement | undefined
  root: FakeElement | undefined
  host: FakeElement | undefined
  adoptedStyleSheets: unknown[] = []
  isConnected = false
  textContent = ''
  title = ''
  dir = ''
  hidden = false

  constructor (localName?: string) {
    super()
    this.localName = localName ?? names.get(this.constructor) ?? 'div'
  }

  getAttribute (name: string): string | null {
    return this.attributes.get(name) ?? null
  }

  hasAttribute (name: string): boolean {
    return this.attributes.has(name)
  }

  setAttribute (name: string, value: string): void {
    this.attributes.set(name, value)
    this.#changed(name)
  }

  removeAttribute (name: string): void {
    if (this.attributes.delete(name)) this.#changed(name)
  }

  #changed (name: string): void {
    const { observedAttributes } = this.constructor as typeof FakeElement
    if (observedAttributes?.includes(name)) this.#reactions.attributeChangedCallback?.(name)
  }

  get #reactions (): Reactions {
    return this as Reactions
  }

  attachInternals () {
    return this.internals
  }

  attachShadow (): FakeElement {
    this.root = new FakeElement('#shadow-root')
    this.root.host = this
    return this.root
  }

  append (...children: FakeElement[]): void {
    for (const child of children) {
      child.parent = this
      this.children.push(child)
      child.connect()
    }
  }

  /** As if it was inserted into the document. */
  connect (): void {
    this.isConnected = true
    this.#reactions.connectedCallback?.()
  }

  remove (): void {
    this.isConnected = false
    this.#reactions.disconnectedCallback?.()
  }

  closest (): FakeElement | null {
    return this.hasAttribute('lang') ? this : this.parent?.closest() ?? null
  }

  getRootNode (): FakeElement {
    return this.parent?.getRootNode() ?? this
  }
}

/** The names that classes were defined by. */
const names = new Map<unknown, string>()
/** What was reported with `reportError`. */
export const reported: string[] = []
export const motion = { matches: false }
/** Fires the events of the page. */
export const pageEvents = new EventTarget()
setMaxListeners(0, pageEvents)

/** Gives Node.js the globals of a page, for as long as the process lasts. */
export function installFakePage (): void {
  Object.assign(globalThis, {
    HTMLElement: FakeElement,
    CSSStyleSheet: class { replaceSync (): void {} },
    document: { createElement: (name: string) => new FakeElement(name) },
    customElements: {
      define: (name: string, constructor: unknown) => names.set(constructor, name),
      get: (name: string) => [...names].find(([, known]) => known === name)?.[0]
    },
    matchMedia: () => motion,
    reportError: (error: unknown) => reported.push(String(error)),
    addEventListener: pageEvents.addEventListener.bind(pageEvents),
    removeEventListener: pageEvents.removeEventListener.bind(pageEvents)
  })
}

/** Replaces the timers and the monotonic clock of the process by simulated ones during a test. */
export function installFakeTime (t: Test): FakeTime {
  const time = createFakeTime({ wallMs: 0 })
  const { setTimeout, clearTimeout } = globalThis
  const { now } = performance
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, ms: number) => time.timers.after(ms, callback),
    clearTimeout: (cancel?: () => void) => cancel?.()
  })
  Object.defineProperty(performance, 'now', { value: time.timers.monotonic, configurable: true })
  t.teardown(() => {
    Object.assign(globalThis, { setTimeout, clearTimeout })
    Object.defineProperty(performance, 'now', { value: now, configurable: true })
  })
  return time
}

/** A clock whose state the test decides. */
export class FakeClock extends EventTarget {
  synced = true
  error = 12
  state = 'open'
  closeCount = 0
  /** The server's time when the monotonic clock showed zero. */
  startMs: number
  /** What its own monotonic clock shows when that of the page shows zero. */
  originMs = 0
  readonly #time: FakeTime

  constructor (time: FakeTime, startMs = 0) {
    super()
    this.#time = time
    this.startMs = startMs
  }

  now (): number {
    return this.startMs + this.#time.timers.monotonic()
  }

  toMonotonic (serverTime: number): number {
    return this.originMs + serverTime - this.startMs
  }

  close (): void {
    this.closeCount++
  }

  fire (type: string): void {
    this.dispatchEvent(new Event(type))
  }

  get asServerClock (): ServerClock {
    return this as unknown as ServerClock
  }
}
