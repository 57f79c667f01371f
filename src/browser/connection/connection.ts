import { DO_NOT_RETURN, PERMISSION_EXPIRED } from '../../protocol/time-v1.js'
import type { CloseDetail, RefusedDetail } from '../clock-events.js'
import type { ClockSettings } from '../clock-options.js'
import { createBudget, createTimer } from '../environment.js'
import type { Outcome, TimeOutcome } from './received.js'
import { createReconnectPolicy } from './reconnect-policy.js'
import type { NextStep } from './reconnect-policy.js'
import { createTimeRequests } from './time-request.js'
import { ABNORMAL, NORMAL } from './transport.js'
import type { Ending, Transport, TransportData } from './transport.js'
import { createTransportSwitch } from './transport-switch.js'

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
  onPageCached (): void
  /** The page has come back from there, or is shown for the first time. */
  onPageShown (): void
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

/** A younger attempt is not made anew because the page is visible or online. */
const YOUNG_MS = 1000
/** A client that was refused for good asks again at most this often. */
const ASK_AGAIN_MS = 60_000
const HURRIES_PER_MINUTE = 12
/** The reason is that of the outcome. */
const FAILED: Ending = { code: ABNORMAL, reason: '', wasOpen: false }

export function createConnection (options: ConnectionOptions): Connection {
  const { settings: { environment, transport: wanted }, onClose, onRefused } = options
  const { monotonic, WebSocket } = environment
  const canFallBack = wanted === 'auto' && WebSocket !== undefined
  const policy = createReconnectPolicy(environment, canFallBack)
  const requests = createTimeRequests({ ...options, environment })
  const transports = createTransportSwitch({
    ...options, policy, requests, onOpen, onSocketEnd, onHttpEnd
  })
  const hurryBudget = createBudget(environment, HURRIES_PER_MINUTE)
  const retryTimer = createTimer(environment)
  let state: ClockState = 'closed'
  /** Aborted when the state is left: what still comes of it is stale. */
  let phase: AbortSignal
  let startedMs = 0
  let askedAgainMs = -Infinity
  /** Refused, but not by the application's close code: the session may be renewed. */
  let canAskAgain = false
  let isSuspended = false

  /** Ends what the old state has begun. @returns a signal that is aborted with the new state. */
  function begin (next: ClockState): AbortSignal {
    retryTimer()
    canAskAgain = isSuspended = false
    state = next
    phase = transports.reset()
    return phase
  }

  async function connect (): Promise<void> {
    const signal = begin('connecting')
    startedMs = monotonic()
    if (wanted === 'http' || !WebSocket) return transports.openHttp()
    if (!policy.isSocketDue()) {
      // Firefox punishes WebSockets that fail by holding back the next ones.
      const outcome = await requests.ask(signal)
      if (signal.aborted) return
      if (!policy.isSocketWorthwhile(outcome)) return settle(FAILED, outcome)
    }
    return transports.openSocket()
  }

  function retry (): void {
    if (transports.transport) transports.openSocket()
    else connect()
  }

  function onOpen (isSocket: boolean): void {
    if (isSocket) retryTimer()
    state = 'open'
    policy.onOpen(isSocket)
    options.onOpen()
  }

  function onHttpEnd (ending: Ending): void {
    // While it is waiting for a WebSocket, it has said so.
    if (state !== 'waiting') settle(ending, ending.outcome)
  }

  async function onSocketEnd (ending: Ending): Promise<void> {
    if (ending.wasOpen) policy.onLost(ending)
    else if (transports.transport) return retryTimer(retry, policy.nextDelayMs())
    const isExplained = ending.wasOpen ? ending.code !== PERMISSION_EXPIRED : ending.outcome
    if (isExplained) return settle(ending, ending.outcome)
    const signal = ending.wasOpen ? begin('connecting') : phase
    const outcome = await requests.ask(signal)
    if (!signal.aborted) settle(ending, outcome)
  }

  function settle (ending: Ending, outcome: Outcome | undefined): void {
    const step = policy.onEnd(ending, outcome)
    if (step.fallback) fallBack(step.fallback)
    else wait(ending.code, step)
  }

  function fallBack (outcome: TimeOutcome): void {
    const { upgrade } = outcome
    const signal = phase
    if (upgrade) onRefused({ status: upgrade.status, code: upgrade.code })
    if (signal.aborted) return
    transports.openHttp(outcome)
    retryTimer(retry, policy.nextDelayMs(upgrade?.waitMs))
  }

  function wait (code: number, { reason, refusal, isHttpOfUse }: NextStep): void {
    const isFinal = refusal?.isFinal === true
    begin(isFinal ? 'refused' : 'waiting')
    canAskAgain = isFinal && code !== DO_NOT_RETURN
    const retryIn = isFinal ? undefined : policy.nextDelayMs(refusal?.waitMs)
    if (retryIn !== undefined) retryTimer(retry, retryIn)
    onClose({ code, reason, retryIn })
    if (refusal) onRefused({ status: refusal.status, code: refusal.code })
    if (isHttpOfUse && state === 'waiting') transports.openHttp()
  }

  async function askAgain (): Promise<void> {
    const signal = phase
    askedAgainMs = monotonic()
    const outcome = await requests.ask(signal)
    if (!signal.aborted && outcome.kind === 'time') connect()
  }

  function resync (isWake: boolean): void {
    const nowMs = monotonic()
    if (state === 'open') transports.transport?.resync()
    const isStuck = state === 'connecting' && (isWake || nowMs - startedMs > YOUNG_MS)
    const canConnect = isStuck || (state === 'waiting' && !policy.isHeldOff())
    if (canConnect && hurryBudget()) connect()
    if (canAskAgain && nowMs - askedAgainMs >= ASK_AGAIN_MS) askAgain()
  }

  return {
    get state () {
      return state
    },
    get transport () {
      return transports.transport
    },
    open () {
      policy.onOpenCalled()
      if (state !== 'connecting' && state !== 'open') connect()
    },
    close () {
      if (state === 'closed') return
      begin('closed')
      onClose({ code: NORMAL, reason: '', retryIn: undefined })
    },
    resync,
    onPageCached () {
      if (state !== 'connecting' && state !== 'open') return
      begin('waiting')
      isSuspended = true
      onClose({ code: NORMAL, reason: 'the page is in the back/forward cache', retryIn: undefined })
    },
    onPageShown () {
      if (isSuspended) connect()
      else if (state !== 'connecting') resync(false)
    },
    check: transports.check
  }
}
