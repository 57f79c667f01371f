/** What is needed of a WebSocket: those of browsers, of Node and of `ws` fit. */
export interface Socket {
  readonly url: string
  readonly readyState: number
  readonly bufferedAmount: number
  readonly protocol: string
  binaryType: string
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
  send (data: string | ArrayBuffer): void
  close (code?: number): void
}

/** What is needed of the answer to a plain `GET`. */
export interface PlainAnswer {
  readonly status: number
  readonly headers: { get (name: string): string | null }
  json (): Promise<unknown>
}

/** What is needed of a page, which is `globalThis`; elsewhere all of it is absent. */
export interface Page {
  readonly document?: { readonly baseURI: string, readonly hidden: boolean }
  /** Relative URLs are resolved against it where there is no document, as in workers. */
  readonly location?: { readonly href: string }
  /** For `visibilitychange`, `pageshow` and `online`. */
  addEventListener? (type: string, listener: () => void): void
  removeEventListener? (type: string, listener: () => void): void
}

/** Everything that a `ServerClock` takes from its surroundings. */
export interface Environment {
  readonly WebSocket: new (url: string, protocols: string[]) => Socket
  readonly fetch: (
    url: string, request: { credentials: 'include', signal: AbortSignal }
  ) => Promise<PlainAnswer>
  /**
   * Milliseconds of a clock that nobody sets, such as `performance.now()`. Either clock is taken to
   * stand still while it gives no finite number.
   */
  readonly monotonic: () => number
  /** Milliseconds since the Unix epoch by this device's clock, such as `Date.now()`. */
  readonly wall: () => number
  readonly setTimeout: (callback: () => void, ms: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  /** From 0 to 1, 1 excluded, such as `Math.random()`. */
  readonly random: () => number
  readonly page: Page
}

/** Completes what is given by what browsers and Node have. @throws without a `WebSocket`. */
export function createEnvironment (given: Partial<Environment> = {}): Environment {
  const environment = {
    WebSocket: globalThis.WebSocket,
    // Not the functions themselves: as methods of another object browsers refuse them.
    fetch: (url: string, request: RequestInit) => fetch(url, request),
    setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
    clearTimeout: (timer: unknown) => clearTimeout(timer as number),
    monotonic: () => performance.now(),
    wall: Date.now,
    random: Math.random,
    page: globalThis,
    ...given
  }
  if (!environment.WebSocket) throw new TypeError('no WebSocket')
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
