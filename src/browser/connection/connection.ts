import { DO_NOT_RETURN, PERMISSION_EXPIRED } from '../../protocol/time-v1.js'
import type { CloseDetail, RefusedDetail } from '../clock-events.js'
import type { ClockSettings } from '../clock-options.js'
import { createBudget, createTimer } from '../environment.js'
import { openHttp } from './http-transport.js'
import { refuse } from './received.js'
import type { Outcome, RefusalOutcome, TimeOutcome } from './received.js'
import { requestTime, withTimeLimit } from './time-request.js'
import { ABNORMAL, NORMAL } from './transport.js'
import type { Ending, Transport, TransportData } from './transport.js'
import { PATIENCE } from './watchdog.js'
import { openWebSocket } from './websocket-transport.js'

/**
 * `connecting`: until a transport is open, or it is known why none is · `open` · `waiting`: to
 * connect again · `closed`: by `close()`, or not yet opened · `refused`: the server has said not to
 * come back.
 */
export type ClockState = 'connecting' | 'open' | 'waiting' | 'closed' | 'refused'

/** Connects to the server, again and again, over one transport at a time. */
export interface Connection {
  readonly state: ClockState
  /** The one that is open. */
  readonly transport: Transport | undefined
  /** Connects, unless it is connecting or open. */
  open (): void
  /** Until `open()`. */
  close (): void
  /**
   * The device has woken, or the page can be seen: asks for the time, or connects now rather than
   * later. @param isWake whether what was begun before may hang.
   */
  resync (isWake: boolean): void
  /** The page goes into the back/forward cache. */
  suspend (): void
  /** The page has come back from there, or is shown for the first time. */
  resume (): void
  /** To be called once a second. */
  check (): void
}

export interface ConnectionOptions {
  settings: ClockSettings
  /** Returns the `http` or `https` URL; called for each connection and each round of requests. */
  resolveUrl: () => Promise<string>
  /** What the monotonic clock shows is true to ± this many milliseconds. */
  grainMs: () => number
  data: TransportData
  onOpen: () => void
  onClose: (detail: CloseDetail) => void
  onRefused: (detail: RefusedDetail) => void
}

const BACKOFF_MS = 500
const MAX_BACKOFF_MS = 30_000
/** A connection that ends sooner counts as a failed attempt. */
const STABLE_MS = 10_000
/** While the server does not answer, a WebSocket is tried at least this often. */
const MAX_WITHOUT_SOCKET_MS = 60_000
/** A younger attempt is not made anew because the page is visible or online. */
const YOUNG_MS = 1000
/** A client that was refused for good asks again at most this often. */
const ASK_AGAIN_MS = 60_000
const PROBES_PER_MINUTE = 30
const REQUESTS_PER_MINUTE = 12
const HURRIES_PER_MINUTE = 12
/** After so many short connections `'auto'` uses HTTP in between. */
const SHORT_LIVED = 2
/** The reason is that of the outcome. */
const FAILED: Ending = { code: ABNORMAL, reason: '', wasOpen: false }
/** The patience with a silent server doubles up to this often. */
const MAX_DOUBLINGS = 3

export function createConnection (options: ConnectionOptions): Connection {
  const { settings, data, onClose, onRefused } = options
  const { environment, transport: wanted } = settings
  const { monotonic, WebSocket } = environment
  const probeBudget = createBudget(environment, PROBES_PER_MINUTE)
  const requestBudget = createBudget(environment, REQUESTS_PER_MINUTE)
  const hurryBudget = createBudget(environment, HURRIES_PER_MINUTE)
  const retryTimer = createTimer(environment)
  let state: ClockState = 'closed'
  let transport: Transport | undefined
  /** Not open yet. */
  let attempt: Transport | undefined
  /** Aborted when the state is left: what still comes of it is stale. */
  let phase = new AbortController()
  let startedMs = 0
  let openedMs = 0
  let socketTriedMs = -Infinity
  let askedAgainMs = -Infinity
  /** Until when the server wants to be left alone. */
  let waitUntilMs = 0
  let failureCount = 0
  let silenceCount = 0
  /** Rounds in succession in which HTTP worked and a WebSocket did not. */
  let blockedCount = 0
  let isServerDown = false
  let isSuspended = false
  /** Refused, but not by the application's close code: the session may be renewed. */
  let canAskAgain = false
  let requestId = Math.floor(environment.random() * 2 ** 31)

  function begin (next: ClockState): AbortSignal {
    retryTimer()
    phase.abort()
    attempt?.close()
    transport?.close()
    attempt = transport = undefined
    isSuspended = canAskAgain = false
    phase = new AbortController()
    state = next
    return phase.signal
  }

  async function connect (): Promise<void> {
    const signal = begin('connecting')
    startedMs = monotonic()
    if (wanted === 'http' || !WebSocket) return tryHttp()
    const isSocketDue = startedMs - socketTriedMs >= MAX_WITHOUT_SOCKET_MS
    if (isServerDown && !isSocketDue) {
      // Firefox punishes WebSockets that fail by holding back the next ones.
      const outcome = await ask(signal)
      if (signal.aborted) return
      const isHidden = outcome.kind === 'unreachable' && outcome.isReachable
      if (outcome.kind !== 'time' && !isHidden) return settle(FAILED, outcome)
      if (outcome.kind === 'time' && mayFallBack() && blockedCount > 0) {
        return fallBack(outcome, signal)
      }
    }
    return trySocket(signal)
  }

  function mayFallBack (): boolean {
    return wanted === 'auto' && WebSocket !== undefined
  }

  async function trySocket (signal: AbortSignal): Promise<void> {
    let url: string
    try {
      url = await withTimeLimit(environment, signal, options.resolveUrl)
    } catch (error) {
      if (!signal.aborted) onSocketEnd(failedUrl(error), signal)
      return
    }
    if (signal.aborted || !WebSocket) return
    socketTriedMs = monotonic()
    const socket = openWebSocket({
      settings,
      WebSocket,
      url,
      budget: probeBudget,
      patience: PATIENCE * 2 ** Math.min(silenceCount, MAX_DOUBLINGS),
      events: {
        ...data,
        onOpen () {
          blockedCount = 0
          retryTimer()
          adopt(socket)
        },
        onEnd: (ending) => onSocketEnd(ending, signal)
      }
    })
    attempt = socket
  }

  function tryHttp (first?: TimeOutcome): void {
    const http: Transport = openHttp({
      settings,
      beginRound,
      budget: requestBudget,
      first,
      events: {
        ...data,
        onOpen () {
          if (!mayFallBack()) failureCount = 0
          adopt(http)
        },
        onEnd (ending) {
          // While it is waiting for a WebSocket, it has said so.
          if (state === 'waiting') attempt = undefined
          else if (ending.outcome) settle(ending, ending.outcome)
        }
      }
    })
    attempt = http
  }

  function adopt (opened: Transport): void {
    transport?.close()
    if (attempt === opened) attempt = undefined
    transport = opened
    state = 'open'
    isServerDown = false
    openedMs = monotonic()
    options.onOpen()
  }

  /** A ticket in the URL serves for one round. */
  async function beginRound (signal: AbortSignal): Promise<() => Promise<Outcome>> {
    try {
      const url = await withTimeLimit(environment, signal, options.resolveUrl)
      return async () => {
        requestId = (requestId + 1) % 2 ** 31
        return requestTime(environment, url, { id: requestId, grainMs: options.grainMs(), signal })
      }
    } catch (error) {
      const { outcome } = failedUrl(error)
      return async () => outcome
    }
  }

  async function ask (signal: AbortSignal): Promise<Outcome> {
    requestBudget()
    const request = await beginRound(signal)
    return request()
  }

  async function onSocketEnd (ending: Ending, signal: AbortSignal): Promise<void> {
    if (ending.wasOpen) return onSocketLost(ending)
    attempt = undefined
    if (transport) return retryTimer(retry, nextBackoff())
    const outcome = ending.outcome ?? await ask(signal)
    if (!signal.aborted) settle(ending, outcome)
  }

  async function onSocketLost (ending: Ending): Promise<void> {
    const livedMs = monotonic() - openedMs
    const isStable = livedMs > STABLE_MS
    if (isStable) failureCount = 0
    silenceCount = ending.isSilent ? silenceCount + 1 : 0
    if (ending.code === PERMISSION_EXPIRED) {
      const signal = begin('connecting')
      const outcome = await ask(signal)
      if (!signal.aborted) settle(ending, outcome)
      return
    }
    if (ending.code === DO_NOT_RETURN) {
      return wait(ending, { ...refuse(403, 'DO_NOT_RETURN', ending.reason), isFinal: true })
    }
    wait(ending)
    const isCutOften = !isStable && failureCount > SHORT_LIVED
    if (isCutOften && state === 'waiting' && mayFallBack()) tryHttp()
  }

  /** Decides what to do after a transport has ended, by what the server says over HTTP. */
  function settle (ending: Ending, outcome: Outcome): void {
    isServerDown = outcome.kind === 'unreachable' && !outcome.isReachable
    if (outcome.kind !== 'time') {
      const reason = ending.reason === '' ? outcome.reason : ending.reason
      if (outcome.kind === 'refusal') blockedCount = 0
      wait({ ...ending, reason }, outcome.kind === 'refusal' ? outcome : undefined)
      canAskAgain = state === 'refused'
      return
    }
    if (ending.wasOpen) return wait(ending)
    blockedCount++
    if (mayFallBack()) return fallBack(outcome, phase.signal)
    const blocked = blockedCount > 1 ? refuse(200, 'BLOCKED', ending.reason) : undefined
    wait(ending, outcome.upgrade ?? blocked)
  }

  /** Syncs by HTTP, and goes on trying the WebSocket. */
  function fallBack (outcome: TimeOutcome, signal: AbortSignal): void {
    const { upgrade } = outcome
    if (upgrade) onRefused({ status: upgrade.status, code: upgrade.code })
    if (signal.aborted) return
    tryHttp(outcome)
    retryTimer(retry, Math.max(upgrade?.waitMs ?? 0, nextBackoff()))
  }

  function retry (): void {
    if (transport) trySocket(phase.signal)
    else connect()
  }

  function nextBackoff (): number {
    const limitMs = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** failureCount++)
    return environment.random() * limitMs
  }

  function wait ({ code, reason }: Ending, refusal?: RefusalOutcome): void {
    const isFinal = refusal?.isFinal === true
    begin(isFinal ? 'refused' : 'waiting')
    const waitMs = refusal?.waitMs ?? 0
    waitUntilMs = monotonic() + waitMs
    const retryIn = isFinal ? undefined : Math.max(waitMs, nextBackoff())
    if (retryIn !== undefined) retryTimer(retry, retryIn)
    onClose({ code, reason, retryIn })
    if (refusal) onRefused({ status: refusal.status, code: refusal.code })
  }

  async function askAgain (): Promise<void> {
    const { signal } = phase
    askedAgainMs = monotonic()
    const outcome = await ask(signal)
    if (!signal.aborted && outcome.kind === 'time') connect()
  }

  function resync (isWake: boolean): void {
    const nowMs = monotonic()
    if (state === 'open') transport?.resync()
    const isStuck = state === 'connecting' && (isWake || nowMs - startedMs > YOUNG_MS)
    const canConnect = isStuck || (state === 'waiting' && nowMs >= waitUntilMs)
    if (canConnect && hurryBudget()) connect()
    if (canAskAgain && nowMs - askedAgainMs >= ASK_AGAIN_MS) askAgain()
  }

  return {
    get state () {
      return state
    },
    get transport () {
      return transport
    },
    open () {
      failureCount = 0
      if (state !== 'connecting' && state !== 'open') connect()
    },
    close () {
      if (state === 'closed') return
      begin('closed')
      onClose({ code: NORMAL, reason: '', retryIn: undefined })
    },
    resync,
    suspend () {
      if (state !== 'connecting' && state !== 'open') return
      begin('waiting')
      isSuspended = true
      onClose({ code: NORMAL, reason: 'the page is in the back/forward cache', retryIn: undefined })
    },
    resume () {
      if (isSuspended) connect()
      else if (state !== 'connecting') resync(false)
    },
    check () {
      attempt?.check()
      transport?.check()
    }
  }
}

/** Says nothing about the server. */
function failedUrl (error: unknown): Ending & { outcome: Outcome } {
  const reason = `there is no URL: ${error instanceof Error ? error.message : String(error)}`
  const outcome = { kind: 'unreachable', isReachable: true, reason } as const
  return { code: ABNORMAL, reason, wasOpen: false, outcome }
}
