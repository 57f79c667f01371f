import { createBudget } from '../environment.js'
import type { Budget, Environment, PlainAnswer, PlainRequest } from '../environment.js'
import { isTime, NOT_A_TIME_SOCKET, readJson, refuse } from './received.js'
import type { Outcome, Received, RefusalOutcome, UnreachableOutcome } from './received.js'

/** The plain `GET` requests of one clock. */
export interface TimeRequests {
  /** At most twelve requests a minute. */
  readonly budget: Budget
  /** @returns the `http` or `https` URL, or why there is none: that says nothing of the server. */
  findUrl (signal: AbortSignal): Promise<string | UnreachableOutcome>
  /** Begins a round, for which one URL serves. @returns a function that sends one request of it. */
  beginRound (signal: AbortSignal): Promise<() => Promise<Outcome>>
  /** Sends a single request, even without a budget. */
  ask (signal: AbortSignal): Promise<Outcome>
}

export interface TimeRequestsOptions {
  environment: Environment
  /** Returns the `http` or `https` URL. */
  resolveUrl: () => Promise<string>
  /** What the monotonic clock shows is true to ± this many milliseconds. */
  grainMs: () => number
}

const LIMIT_MS = 10_000
/** A longer body is no answer of a time socket. */
const MAX_BODY_CHARS = 65_536
const REQUESTS_PER_MINUTE = 12
/** Ids of requests are below it. */
const ID_LIMIT = 2 ** 31

export function createTimeRequests (options: TimeRequestsOptions): TimeRequests {
  const { environment, resolveUrl, grainMs } = options
  const budget = createBudget(environment, REQUESTS_PER_MINUTE)
  let id = Math.floor(environment.random() * ID_LIMIT)

  async function findUrl (signal: AbortSignal): Promise<string | UnreachableOutcome> {
    try {
      return await withTimeLimit(environment, signal, resolveUrl)
    } catch (error) {
      const reason = `there is no URL: ${error instanceof Error ? error.message : String(error)}`
      return { kind: 'unreachable', isReachable: true, reason }
    }
  }

  async function beginRound (signal: AbortSignal): Promise<() => Promise<Outcome>> {
    const url = await findUrl(signal)
    return async () => {
      if (typeof url !== 'string') return url
      id = (id + 1) % ID_LIMIT
      return requestTime(environment, url, { id, grainMs: grainMs(), signal })
    }
  }

  return {
    budget,
    findUrl,
    beginRound,
    async ask (signal) {
      budget()
      const request = await beginRound(signal)
      return request()
    }
  }
}

interface TimeRequest {
  readonly id: number
  readonly grainMs: number
  readonly signal: AbortSignal
}

/**
 * Asks for the server's time by one `GET`. The answer also tells why a WebSocket was refused, which
 * browsers hide. Never rejects; takes at most 10 s, or 20 if the answer cannot be read.
 *
 * @param url `http` or `https`.
 * @param id comes back in the answer: an answer with another one was cached.
 * @param grainMs what the monotonic clock shows is true to ± this many milliseconds.
 */
async function requestTime (
  environment: Environment, url: string, { id, grainMs, signal }: TimeRequest
): Promise<Outcome> {
  const { monotonic, page, fetch } = environment
  const isSameOrigin = new URL(url).origin === page.origin
  const request = { cache: 'no-store', credentials: 'include' } as const
  try {
    return await withTimeLimit(environment, signal, async (signal) => {
      const t1 = monotonic()
      const answer = await fetch(url, {
        ...request,
        signal,
        redirect: 'manual',
        headers: {
          accept: `application/vnd.time-socket+json;id=${id}`,
          ...isSameOrigin && { 'time-socket-origin': String(page.origin) }
        }
      })
      return await judge(answer, { id, t1, t4: monotonic(), grainMs })
    })
  } catch {
    const isReachable = !isSameOrigin && page.origin !== undefined &&
      await canReach(environment, url, signal, request)
    return { kind: 'unreachable', isReachable, reason: 'the server does not answer' }
  }
}

/** Whether anything answers, though without the CORS headers that would let the page read it. */
async function canReach (
  environment: Environment, url: string, signal: AbortSignal,
  request: Pick<PlainRequest, 'cache' | 'credentials'>
): Promise<boolean> {
  try {
    await withTimeLimit(environment, signal, async (signal) =>
      environment.fetch(url, { ...request, signal, mode: 'no-cors', redirect: 'follow' }))
    return true
  } catch {
    return false
  }
}

interface Received200 {
  readonly id: number
  readonly t1: number
  readonly t4: number
  readonly grainMs: number
}

async function judge (answer: PlainAnswer, times: Received200): Promise<Outcome> {
  const { status, type } = answer
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return refuse(0, 'REDIRECTED', 'the URL redirects, to a login page perhaps')
  }
  if (status === 200) return readTime(await readBody(answer), times)
  const isBusy = status === 429 || status === 503
  if (status >= 500 && !isBusy) {
    return { kind: 'unreachable', isReachable: false, reason: `the server answers ${status}` }
  }
  const isFinal = status === 401 || status === 403
  if (!isBusy && !isFinal) {
    return refuse(status, NOT_A_TIME_SOCKET, `the server answers ${status}: no time socket`)
  }
  const { code } = await readBody(answer).catch((): Received => ({}))
  const refusal = refuse(status, code, `the server refuses with ${status}`)
  return { ...refusal, isFinal, waitMs: isBusy ? readRetryAfter(answer) : 0 }
}

function readTime (body: Received, { id, t1, t4, grainMs }: Received200): Outcome {
  const { now, hold, server, clockSteps } = body
  if (body.id !== undefined && body.id !== id) {
    return refuse(200, NOT_A_TIME_SOCKET, 'the answer was for another request: is it cached?')
  }
  const isPossible = isTime(now) && isTime(hold) && hold >= 0 && hold <= t4 - t1 + 2 * grainMs
  if (!isPossible || body.id !== id) {
    return refuse(200, NOT_A_TIME_SOCKET, 'the answer is not that of a time socket')
  }
  return {
    kind: 'time',
    source: { server, clockSteps },
    exchange: { t1, t2: now - hold, t3: now, t4 },
    upgrade: readUpgrade(body.upgrade)
  }
}

function readUpgrade (upgrade: unknown): RefusalOutcome | undefined {
  if (typeof upgrade !== 'object' || upgrade === null) return undefined
  const { status, code, retryAfter }: Partial<Record<string, unknown>> = { ...upgrade }
  const refusal = refuse(Number(status), code, `the server refuses with ${status}`)
  return { ...refusal, waitMs: toWaitMs(Number(retryAfter) * 1000) }
}

/** Seconds, or a date by the server's own clock (RFC 9110 §10.2.3). */
function readRetryAfter ({ headers }: PlainAnswer): number {
  const after = headers.get('retry-after') ?? ''
  const seconds = after === '' ? NaN : Number(after)
  const fromMs = Date.parse(headers.get('date') ?? '')
  return toWaitMs(Number.isNaN(seconds) ? Date.parse(after) - fromMs : seconds * 1000)
}

function toWaitMs (ms: number): number {
  return ms > 0 && ms < Infinity ? ms : 0
}

async function readBody (answer: PlainAnswer): Promise<Received> {
  return readJson(await readText(answer))
}

/** @returns an empty text for a long one. */
async function readText (answer: PlainAnswer): Promise<string> {
  const reader = answer.body?.getReader()
  if (reader === undefined) return answer.text()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text
    text += decoder.decode(value, { stream: true })
    if (text.length > MAX_BODY_CHARS) return ''
  }
}

/** Rejects after 10 s, or with the signal. What the action still does is aborted. */
async function withTimeLimit<Result> (
  { setTimeout, clearTimeout }: Environment, signal: AbortSignal,
  action: (signal: AbortSignal) => Promise<Result>
): Promise<Result> {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const timer = setTimeout(abort, LIMIT_MS)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([
      action(controller.signal),
      new Promise<never>((_resolve, reject) => {
        controller.signal.addEventListener('abort', () => reject(new Error('took too long')))
      })
    ])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    // Also ends a body that is not read to its end.
    abort()
  }
}
