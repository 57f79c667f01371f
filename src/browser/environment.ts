/** What the clock needs of a WebSocket: those of browsers, Node.js and `ws` fit. */
export interface Socket {
  readonly readyState: number
  /** Bytes that wait to be sent; undefined where that is not known. */
  readonly bufferedAmount?: number | undefined
  readonly protocol: string
  binaryType: string
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
  send (data: string | ArrayBuffer): void
  close (code?: number): void
}

/** What the clock needs of an HTTP answer: a `Response` fits. */
export interface PlainAnswer {
  readonly status: number
  /** `opaqueredirect` for a redirect, in browsers. */
  readonly type?: string
  readonly headers: { get (name: string): string | null }
  /** Read piece by piece where there is one, so that an endless body is given up. */
  readonly body?: { getReader (): BodyReader } | null
  text (): Promise<string>
}

interface BodyReader {
  read (): Promise<{ done: boolean, value?: Uint8Array | undefined }>
}

/** What the clock passes to `fetch` besides the URL. */
export interface PlainRequest {
  readonly headers?: Record<string, string>
  readonly mode?: 'no-cors'
  readonly redirect: 'manual' | 'follow'
  readonly cache: 'no-store'
  readonly credentials: 'include'
  readonly signal: AbortSignal
}

/** What the clock needs of a page, which is `globalThis`; outside of browsers all is absent. */
export interface Page {
  readonly document?: { readonly baseURI: string, readonly hidden: boolean }
  /** Relative URLs are resolved against it where there is no document, as in workers. */
  readonly location?: { readonly href: string }
  /** Requests to it carry no `Origin`: the clock names the page in a header of its own. */
  readonly origin?: string
  addEventListener? (type: string, listener: (event: PageEvent) => void, capture: boolean): void
  removeEventListener? (type: string, listener: (event: PageEvent) => void, capture: boolean): void
}

/** An event of the page; `persisted` is that of `pagehide`. */
export interface PageEvent {
  readonly type: string
  readonly persisted?: boolean
}

/** Everything that a `ServerClock` takes from its surroundings. Functions are called unbound. */
export interface Environment {
  /** Undefined: there is none, so that `'auto'` means HTTP. */
  readonly WebSocket: (new (url: string, protocols: string[]) => Socket) | undefined
  fetch (url: string, request: PlainRequest): Promise<PlainAnswer>
  /**
   * Milliseconds of a clock that nobody sets, such as `performance.now()`. Either clock is taken to
   * stand still while it returns no finite number.
   */
  monotonic (): number
  /** Milliseconds since the Unix epoch by this device's clock, such as `Date.now()`. */
  wall (): number
  setTimeout (callback: () => void, ms: number): unknown
  clearTimeout (timer: unknown): void
  /** From 0 to 1, 1 excluded, such as `Math.random()`. */
  random (): number
  readonly page: Page
}

/** Sets the timer, which replaces what it was set to; without arguments it is stopped. */
export type Timer = (callback?: () => void, ms?: number) => void

/**
 * Takes one of `limit` permits of a minute. @param reserve how many to leave for others.
 * @returns whether there was one.
 */
export type Budget = (reserve?: number) => boolean

/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1
const MINUTE_MS = 60_000

/** Completes what is given with what browsers and Node.js have. */
export function createEnvironment (given: Partial<Environment> = {}): Environment {
  const environment = {
    // Called late, so that fake timers may be installed later. Unbound, browsers refuse them.
    fetch: (url: string, request: RequestInit) => fetch(url, request),
    setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
    clearTimeout: (timer: unknown) => clearTimeout(timer as number),
    monotonic: () => performance.now(),
    wall: () => Date.now(),
    random: () => Math.random(),
    WebSocket: globalThis.WebSocket,
    page: globalThis,
    ...given
  }
  const { monotonic, wall } = environment
  return { ...environment, monotonic: withoutGaps(monotonic), wall: withoutGaps(wall) }
}

/** A NaN would stay for ever in whatever is computed from it. */
function withoutGaps (read: () => number): () => number {
  let latestMs = 0
  return () => {
    const ms = read()
    if (Math.abs(ms) < Infinity) latestMs = ms
    return latestMs
  }
}

/** A timer that is set once at a time. It fires early if `ms` is more than 24 days. */
export function createTimer ({ setTimeout, clearTimeout }: Environment): Timer {
  let timer: unknown
  return (callback, ms = 0) => {
    clearTimeout(timer)
    timer = callback && setTimeout(callback, Math.min(ms, MAX_TIMER_MS))
  }
}

/** Any minute sees at most `limit` permits. */
export function createBudget ({ monotonic }: Environment, limit: number): Budget {
  let takenMs: number[] = []
  return (reserve = 0) => {
    const nowMs = monotonic()
    takenMs = takenMs.filter((ms) => nowMs - ms < MINUTE_MS)
    const isLeft = takenMs.length < limit - reserve
    if (isLeft) takenMs.push(nowMs)
    return isLeft
  }
}
