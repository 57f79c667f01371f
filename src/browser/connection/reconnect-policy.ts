import { DO_NOT_RECONNECT } from '../../protocol/time-v1.js'
import type { Environment } from '../environment.js'
import { createRefusal } from './received.js'
import type { Outcome, RefusalOutcome, TimeOutcome } from './received.js'
import type { Ending } from './transport.js'
import { PATIENCE } from './watchdog.js'

/** Decides when and how to reconnect, from the results of earlier attempts. */
export interface ReconnectPolicy {
  /**
   * False while the server is unreachable, except once a minute: a request over HTTP must then
   * succeed first.
   */
  isSocketDue (): boolean
  /** True if a WebSocket should be tried after this answer over HTTP. */
  isSocketWorthwhile (outcome: Outcome): boolean
  /**
   * For how many checks a WebSocket may be silent. Doubles, up to three times, with each
   * consecutive WebSocket that was too silent.
   */
  patienceCount (): number
  /** Must be called when a WebSocket is created. */
  onSocketTried (): void
  /** Must be called when a transport has opened. */
  onOpen (isSocket: boolean): void
  /** Must be called when an open WebSocket has ended. */
  onLost (ending: Ending): void
  /**
   * Decides what to do after a transport has ended.
   *
   * @param outcome the server's answer over HTTP; undefined if none was requested.
   */
  onEnd (ending: Ending, outcome: Outcome | undefined): NextStep
  /**
   * Milliseconds until the next attempt: random, up to a limit that doubles with each failed
   * attempt to at most 30 s, but at least `holdMs`. Counts the previous attempt as failed.
   */
  nextDelayMs (holdMs?: number): number
  /** True until the latest `holdMs` have passed. */
  isHeldOff (): boolean
  /** Must be called when the application calls `open()`: resets the count of failed attempts. */
  onOpenCalled (): void
}

/** What to do after a transport has ended. */
export interface NextStep {
  /** If set: sync over HTTP, starting with this answer, and keep trying the WebSocket. */
  readonly fallback?: TimeOutcome
  readonly reason: string
  /** If set: wait as long as the refusal says, or give up if it is final. */
  readonly refusal?: RefusalOutcome | undefined
  /** If true: sync over HTTP while waiting. */
  readonly syncOverHttp?: boolean
}

const BACKOFF_MS = 500
const MAX_BACKOFF_MS = 30_000
/** A connection that ends earlier than this counts as a failed attempt. */
const STABLE_MS = 10_000
/**
 * While the server is unreachable, the first attempt after this time is a WebSocket: that makes one
 * in 60 to 90 s. Firefox forgets a failure after 60 s. If an address fails more often, Firefox
 * delays each further WebSocket to it, longer and longer.
 */
const MIN_WITHOUT_SOCKET_MS = 60_000
/** After this many failed attempts, a short connection is followed by HTTP while waiting. */
const MAX_SHORT_CONNECTIONS = 2
/** How many times `patienceCount` may double. */
const MAX_DOUBLINGS = 3

/** @param canFallBack true if HTTP may replace the WebSocket. */
export function createReconnectPolicy (
  { monotonic, random }: Pick<Environment, 'monotonic' | 'random'>, canFallBack: boolean
): ReconnectPolicy {
  let failureCount = 0
  let silenceCount = 0
  /** Consecutive rounds in which HTTP worked and a WebSocket did not. */
  let blockedCount = 0
  let isServerDown = false
  let socketTriedMs = -Infinity
  let openedMs = 0
  let heldOffUntilMs = 0

  return {
    isSocketDue: () => !isServerDown || monotonic() - socketTriedMs >= MIN_WITHOUT_SOCKET_MS,
    isSocketWorthwhile: (outcome) => outcome.kind === 'time'
      ? !canFallBack || blockedCount === 0
      : outcome.kind === 'unreachable' && !outcome.isServerDown,
    patienceCount: () => PATIENCE * 2 ** Math.min(silenceCount, MAX_DOUBLINGS),
    onSocketTried () {
      socketTriedMs = monotonic()
    },
    onOpen (isSocket) {
      isServerDown = false
      openedMs = monotonic()
      if (isSocket) blockedCount = 0
      else if (!canFallBack) failureCount = 0
    },
    onLost ({ wasSilent }) {
      if (monotonic() - openedMs > STABLE_MS) failureCount = 0
      silenceCount = wasSilent ? silenceCount + 1 : 0
    },
    onEnd ({ code, reason, wasOpen }, outcome) {
      if (outcome === undefined) {
        return code === DO_NOT_RECONNECT
          ? { reason, refusal: { ...createRefusal(403, 'DO_NOT_RECONNECT', reason), isFinal: true } }
          : { reason, syncOverHttp: canFallBack && failureCount >= MAX_SHORT_CONNECTIONS }
      }
      isServerDown = outcome.kind === 'unreachable' && outcome.isServerDown
      if (outcome.kind === 'refusal') blockedCount = 0
      if (outcome.kind !== 'time') {
        const refusal = outcome.kind === 'refusal' ? outcome : undefined
        return { reason: reason === '' ? outcome.reason : reason, refusal }
      }
      if (wasOpen) return { reason }
      blockedCount++
      if (canFallBack) return { reason, fallback: outcome }
      const blocked = blockedCount > 1 ? createRefusal(200, 'BLOCKED', reason) : undefined
      return { reason, refusal: outcome.upgrade ?? blocked }
    },
    nextDelayMs (holdMs = 0) {
      heldOffUntilMs = monotonic() + holdMs
      const limitMs = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** failureCount++)
      return Math.max(holdMs, random() * limitMs)
    },
    isHeldOff: () => monotonic() < heldOffUntilMs,
    onOpenCalled () {
      failureCount = 0
    }
  }
}
