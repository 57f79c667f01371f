import { createBudget } from '../environment.js'
import type { Budget, Environment, PlainAnswer } from '../environment.js'
import { createRefusal, isTime, NOT_A_TIME_SOCKET, readJson } from './received.js'
import type { Outcome, Received, RefusalOutcome, UnreachableOutcome } from './received.js'

/** The plain `GET` requests of one clock. */
export interface TimeRequests {
  /**
   * Allows the requests of rounds: twelve a minute, within the budget of all probes. A request
   * counts when it is sent, even if its answer is discarded.
   */
  readonly budget: Budget
  /** Resolves with the `http` or `https` URL, or with the reason why there is none. */
  findUrl (signal: AbortSignal): Promise<string | UnreachableOutcome>
  /**
   * Begins a round of requests to one URL, because a ticket in the URL is valid for one round.
   *
   * @returns a function that sends one request of this round.
   */
  beginRound (signal: AbortSignal): Promise<() => Promise<Outcome>>
  /** Sends a single request, even if the budget is used up. */
  requestOnce (signal: AbortSignal): Promise<Outcome>
}

export interface TimeRequestsOptions {
  environment: Environment
  /** The budget of all probes, over both transports. */
  probeBudget: Budget
  /** Returns the `http` or `https` URL. */
  resolveUrl: () => Promise<string>
  /** Readings of the monotonic clock are accurate to ± this many milliseconds. */
  quantumMs: () => number
}

const LIMIT_MS = 10_000
/** A longer body is not an answer of a time socket. */
const MAX_BODY_CHARS = 65_536
const REQUESTS_PER_MINUTE = 12
/** All request ids are smaller. */
const ID_LIMIT = 2 ** 31

export function createTimeRequests (options: TimeRequestsOptions): TimeRequests {
  const { environment, probeBudget, resolveUrl, quantumMs } = options
  const requestBudget = createBudget(environment, REQUESTS_PER_MINUTE)
  let id = Math.floor(environment.random() * ID_LIMIT)

  async function findUrl (signal: AbortSignal): Promise<string | UnreachableOutcome> {
    try {
      return await withTimeLimit(environment, signal, resolveUrl)
    } catch (error) {
      const reason = `the URL cannot be resolved: ${error instanceof Error ? error.message : String(error)}`
      return { kind: 'unreachable', isServerDown: false, reason }
    }
  }

  async function beginRound (
    signal: AbortSignal, mayAskAgain: Budget
  ): Promise<() => Promise<Outcome>> {
    const url = await findUrl(signal)
    return async () => {
      if (typeof url !== 'string') return url
      id = (id + 1) % ID_LIMIT
      return requestTime(environment, url, { id, quantumMs: quantumMs(), mayAskAgain, signal })
    }
  }

  return {
    budget: () => requestBudget() && probeBudget(),
    findUrl,
    beginRound: (signal) => beginRound(signal, () => false),
    async requestOnce (signal) {
      requestBudget()
      const request = await beginRound(signal, probeBudget)
      return request()
    }
  }
}

interface TimeRequest {
  readonly id: number
  readonly quantumMs: number
  readonly mayAskAgain: Budget
  readonly signal: AbortSignal
}

/**
 * Requests the server's time with one `GET`. The answer also tells why a WebSocket was refused,
 * which browsers hide. Never rejects. Takes at most 10 s, or 20 s if the page may not read the
 * answer.
 *
 * @param url an `http` or `https` URL.
 * @param id is repeated in the answer: an answer with another id was cached.
 * @param quantumMs readings of the monotonic clock are accurate to ± this many milliseconds.
 * @param mayAskAgain allows a second request, if the page may not read the answer.
 */
async function requestTime (
  environment: Environment, url: string, { id, quantumMs, mayAskAgain, signal }: TimeRequest
): Promise<Outcome> {
  const { monotonic, page, fetch } = environment
  const isSameOrigin = new URL(url).origin === page.origin
  try {
    return await withTimeLimit(environment, signal, async (signal) => {
      const t1 = monotonic()
      const answer = await fetch(url, {
        cache: 'no-store',
        credentials: 'include',
        redirect: 'manual',
        signal,
        headers: {
          accept: `application/vnd.time-socket+json;id=${id}`,
          ...isSameOrigin && { 'time-socket-origin': String(page.origin) }
        }
      })
      return await readOutcome(answer, { id, t1, t4: monotonic(), quantumMs })
    })
  } catch {
    // Any answer of a server of another origin shows that it is up, even if the page may not read
    // it. Asks for the root, because the URL may hold a ticket that was just used.
    const canReach = () => withTimeLimit(environment, signal, (signal) => fetch(new URL('/', url).href, {
      mode: 'no-cors', cache: 'no-store', credentials: 'omit', redirect: 'follow', signal
    })).then(() => true, () => false)
    const mustAsk = !isSameOrigin && page.origin !== undefined && !signal.aborted && mayAskAgain()
    const isServerDown = !mustAsk || !await canReach()
    return { kind: 'unreachable', isServerDown, reason: 'the server does not answer' }
  }
}

interface RequestTimes {
  readonly id: number
  readonly t1: number
  readonly t4: number
  readonly quantumMs: number
}

async function readOutcome (answer: PlainAnswer, times: RequestTimes): Promise<Outcome> {
  const { status, type } = answer
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return createRefusal(0, 'REDIRECTED', 'the URL redirects, perhaps to a login page')
  }
  if (status === 200) return readTime(await readBody(answer), times)
  const isBusy = status === 429 || status === 503
  if (status >= 500 && !isBusy) {
    return { kind: 'unreachable', isServerDown: true, reason: `the server answers ${status}` }
  }
  const isFinal = status === 401 || status === 403
  if (!isBusy && !isFinal) {
    return createRefusal(status, NOT_A_TIME_SOCKET, `the server answers ${status}: this is not a time socket`)
  }
  const { code } = await readBody(answer).catch((): Received => ({}))
  const refusal = createRefusal(status, code, `the server refuses with ${status}`)
  return { ...refusal, isFinal, waitMs: isBusy ? readRetryAfter(answer) : 0 }
}

function readTime (body: Received, { id, t1, t4, quantumMs }: RequestTimes): Outcome {
  const { now, hold, server, clockSteps } = body
  if (body.id !== undefined && body.id !== id) {
    return createRefusal(200, NOT_A_TIME_SOCKET, 'the answer was for another request: is it cached?')
  }
  const isPossible = isTime(now) && isTime(hold) && hold >= 0 && hold <= t4 - t1 + 2 * quantumMs
  if (!isPossible || body.id !== id) {
    return createRefusal(200, NOT_A_TIME_SOCKET, 'the answer is not that of a time socket')
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
  const refusal = createRefusal(Number(status), code, `the server refuses with ${status}`)
  return { ...refusal, waitMs: toWaitMs(Number(retryAfter) * 1000) }
}

/** Reads `Retry-After`: seconds, or a date by the server's own clock (RFC 9110 §10.2.3). */
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

/** @returns an empty text if the body is too long. */
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

/** Runs an action. Rejects after 10 s, or when the signal aborts; the action is then aborted. */
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
        controller.signal.addEventListener('abort', () => reject(new Error('it took over 10 s')))
      })
    ])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    // Also cancels a body that has not been read to its end.
    abort()
  }
}
