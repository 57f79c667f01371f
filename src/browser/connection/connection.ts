import { DO_NOT_RECONNECT, PERMISSION_EXPIRED } from '../../protocol/time-v1.js'
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
 * `connecting`: no transport is open yet · `open` · `waiting`: reconnects after a pause · `closed`:
 * after `close()`, or before `open()` · `refused`: the server has refused this client for good.
 */
export type ClockState = 'connecting' | 'open' | 'waiting' | 'closed' | 'refused'

/** Keeps the clock connected to the server, over one transport at a time. */
export interface Connection {
  readonly state: ClockState
  /** The transport that is open, if any. */
  readonly transport: Transport | undefined
  /** Connects. Has no effect while connecting or open. */
  open (): void
  /** Ends the connection, until `open()` is called. */
  close (): void
  /**
   * Must be called when the device has woken up, or the page has become visible or online: probes
   * the server, or connects without waiting.
   *
   * @param isWake true if the device has slept, so that an attempt in progress may hang.
   */
  resync (isWake: boolean): void
  /** Must be called when the page enters the back/forward cache. */
  onPageCached (): void
  /** Must be called when the page leaves the back/forward cache, or is shown for the first time. */
  onPageShown (): void
  /** Must be called once a second. */
  check (): void
}

export interface ConnectionOptions {
  settings: ClockSettings
  /** Returns the `http` or `https` URL; called for each connection and each round of requests. */
  resolveUrl: () => Promise<string>
  /** Readings of the monotonic clock are accurate to ± this many milliseconds. */
  quantumMs: () => number
  data: TransportData
  onOpen: () => void
  onClose: (detail: CloseDetail) => void
  onRefused: (detail: RefusedDetail) => void
}

/** An attempt younger than this is not restarted when the page becomes visible or online. */
const YOUNG_MS = 1000
/** A client that was refused for good tries again at most once in this time. */
const RETRY_REFUSED_MS = 60_000
const EARLY_RETRIES_PER_MINUTE = 12
/** The limit for probes over both transports together. */
const PROBES_PER_MINUTE = 30
/** `onOutcome` takes the reason from the outcome. */
const FAILED: Ending = { code: ABNORMAL, reason: '', wasOpen: false }

export function createConnection (options: ConnectionOptions): Connection {
  const { settings: { environment, transport: wanted }, onClose, onRefused } = options
  const { monotonic, WebSocket } = environment
  const canFallBack = wanted === 'auto' && WebSocket !== undefined
  const policy = createReconnectPolicy(environment, canFallBack)
  const budget = createBudget(environment, PROBES_PER_MINUTE)
  const requests = createTimeRequests({ ...options, environment, probeBudget: budget })
  const transports = createTransportSwitch({
    ...options, policy, budget, requests, onOpen, onSocketEnd, onHttpEnd
  })
  const earlyRetryBudget = createBudget(environment, EARLY_RETRIES_PER_MINUTE)
  const retryTimer = createTimer(environment)
  let state: ClockState = 'closed'
  /** Aborted when the state ends: results that arrive later are stale. */
  let phase: AbortSignal
  let startedMs = 0
  let retriedRefusedMs = -Infinity
  /** True if the server refused over HTTP, not with close code 4403: the session may be renewed. */
  let canRetryRefused = false
  let isSuspended = false

  /**
   * Ends the transports and timers of the old state.
   *
   * @returns a signal that is aborted when the new state ends.
   */
  function begin (next: ClockState): AbortSignal {
    retryTimer()
    canRetryRefused = isSuspended = false
    state = next
    phase = transports.reset()
    return phase
  }

  async function connect (): Promise<void> {
    const signal = begin('connecting')
    startedMs = monotonic()
    if (wanted === 'http' || !WebSocket) return transports.openHttp()
    if (!policy.isSocketDue()) {
      // After failed WebSockets, Firefox delays the next ones.
      const outcome = await requests.requestOnce(signal)
      if (signal.aborted) return
      if (!policy.isSocketWorthwhile(outcome)) return onOutcome(FAILED, outcome)
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
    // While the connection waits to reconnect, its end has already been reported.
    if (state !== 'waiting') onOutcome(ending, ending.outcome)
  }

  async function onSocketEnd (ending: Ending): Promise<void> {
    if (ending.wasOpen) policy.onLost(ending)
    else if (transports.transport) return retryTimer(retry, policy.nextDelayMs())
    const isExplained = ending.wasOpen ? ending.code !== PERMISSION_EXPIRED : ending.outcome
    if (isExplained) return onOutcome(ending, ending.outcome)
    const signal = ending.wasOpen ? begin('connecting') : phase
    const outcome = await requests.requestOnce(signal)
    if (!signal.aborted) onOutcome(ending, outcome)
  }

  /** @param outcome the server's answer over HTTP; undefined if none was requested. */
  function onOutcome (ending: Ending, outcome: Outcome | undefined): void {
    const step = policy.onEnd(ending, outcome)
    if (step.fallback) fallBack(step.fallback)
    else wait(ending.code, step)
  }

  /** Syncs over HTTP, and keeps trying the WebSocket. */
  function fallBack (outcome: TimeOutcome): void {
    const { upgrade } = outcome
    const signal = phase
    if (upgrade) onRefused({ status: upgrade.status, code: upgrade.code })
    if (signal.aborted) return
    transports.openHttp(outcome)
    retryTimer(retry, policy.nextDelayMs(upgrade?.waitMs))
  }

  function wait (code: number, { reason, refusal, syncOverHttp }: NextStep): void {
    const isFinal = refusal?.isFinal === true
    begin(isFinal ? 'refused' : 'waiting')
    canRetryRefused = isFinal && code !== DO_NOT_RECONNECT
    const retryIn = isFinal ? undefined : policy.nextDelayMs(refusal?.waitMs)
    if (retryIn !== undefined) retryTimer(retry, retryIn)
    onClose({ code, reason, retryIn })
    if (refusal) onRefused({ status: refusal.status, code: refusal.code })
    if (syncOverHttp && state === 'waiting') transports.openHttp()
  }

  async function retryRefused (): Promise<void> {
    const signal = phase
    retriedRefusedMs = monotonic()
    const outcome = await requests.requestOnce(signal)
    if (!signal.aborted && outcome.kind === 'time') connect()
  }

  function resync (isWake: boolean): void {
    const nowMs = monotonic()
    if (state === 'open') transports.transport?.resync()
    const isStuck = state === 'connecting' && (isWake || nowMs - startedMs > YOUNG_MS)
    const canConnect = isStuck || (state === 'waiting' && !policy.isHeldOff())
    if (canConnect && earlyRetryBudget()) connect()
    if (canRetryRefused && nowMs - retriedRefusedMs >= RETRY_REFUSED_MS) retryRefused()
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
