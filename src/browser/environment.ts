/** The members of a WebSocket that the clock uses. Browsers, Node.js and `ws` provide them. */
export interface Socket {
  readonly readyState: number
  /** Bytes that wait to be sent; undefined if the runtime does not report them. */
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

/** The members of an HTTP answer that the clock uses. A `Response` has all of them. */
export interface PlainAnswer {
  readonly status: number
  /** `opaqueredirect` for a redirect, in browsers. */
  readonly type?: string
  readonly headers: { get (name: string): string | null }
  /** Read in chunks if present, so that the clock can stop reading an endless body. */
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
  readonly credentials: 'include' | 'omit'
  readonly signal: AbortSignal
}

/**
 * The members of the page, which is `globalThis`, that the clock uses. A runtime other than a
 * browser may lack all of them.
 */
export interface Page {
  readonly document?: { readonly baseURI: string, readonly hidden: boolean }
  /** The base of relative URLs if there is no document, as in workers. */
  readonly location?: { readonly href: string }
  /**
   * The page's origin. Same-origin requests carry no `Origin`, so the clock names the page in a
   * header of its own.
   */
  readonly origin?: string
  addEventListener? (type: string, listener: (event: PageEvent) => void, capture: boolean): void
  removeEventListener? (type: string, listener: (event: PageEvent) => void, capture: boolean): void
}

/** An event of the page. The clock reads `persisted` only from `pagehide`. */
export interface PageEvent {
  readonly type: string
  readonly persisted?: boolean
}

/** Every global that a `ServerClock` uses. Functions are called without a `this`. */
export interface Environment {
  /** Undefined if the runtime has none: `'auto'` then means HTTP. */
  readonly WebSocket: (new (url: string, protocols: string[]) => Socket) | undefined
  fetch (url: string, request: PlainRequest): Promise<PlainAnswer>
  /**
   * Milliseconds of a clock that cannot be set, such as `performance.now()`. While this function or
   * `wall` returns no finite number, its last finite reading is used.
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

/** Sets the timer, and replaces an earlier setting. Without arguments, stops the timer. */
export type Timer = (callback?: () => void, ms?: number) => void

/**
 * Uses one of the permits of the current minute (see `createBudget`).
 *
 * @param reserve how many permits to leave for others.
 * @returns true if there was a permit.
 */
export type Budget = (reserve?: number) => boolean

/** Browsers fire longer timers at once. */
const MAX_TIMER_MS = 2 ** 31 - 1
const MINUTE_MS = 60_000

/** Fills in each member that is not given from the globals of the runtime. */
export function createEnvironment (given: Partial<Environment> = {}): Environment {
  const environment = {
    // Looked up at each call, so that fake timers may be installed later, and wrapped, because
    // browsers reject unbound calls.
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

/**
 * Repeats the latest finite reading: a NaN would persist in everything that is computed from it.
 */
function withoutGaps (read: () => number): () => number {
  let latestMs = 0
  return () => {
    const ms = read()
    if (Math.abs(ms) < Infinity) latestMs = ms
    return latestMs
  }
}

/** Creates a timer with one setting at a time. A delay of more than 24 days is cut to 24 days. */
export function createTimer ({ setTimeout, clearTimeout }: Environment): Timer {
  let timer: unknown
  return (callback, ms = 0) => {
    clearTimeout(timer)
    timer = callback && setTimeout(callback, Math.min(ms, MAX_TIMER_MS))
  }
}

/** Creates a budget that grants at most `limit` permits in any minute. */
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
