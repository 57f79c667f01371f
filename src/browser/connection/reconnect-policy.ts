import { DO_NOT_RETURN } from '../../protocol/time-v1.js'
import type { Environment } from '../environment.js'
import { refuse } from './received.js'
import type { Outcome, RefusalOutcome, TimeOutcome } from './received.js'
import type { Ending } from './transport.js'
import { PATIENCE } from './watchdog.js'

/** Decides when to connect again, and how, by what earlier attempts have come to. */
export interface ReconnectPolicy {
  /** False while the server does not answer: it is asked over HTTP before a WebSocket is tried. */
  isSocketDue (): boolean
  /** Whether a server that was asked, and has come to this, is worth a WebSocket. */
  isSocketWorthwhile (outcome: Outcome): boolean
  /** For how many checks a WebSocket may be silent: for more, the more often one was. */
  patienceCount (): number
  onSocketTried (): void
  /** A transport is open. */
  onOpen (isSocket: boolean): void
  /** A WebSocket that was open has ended. */
  onLost (ending: Ending): void
  /** Decides what follows the end of a transport. @param outcome undefined: nobody was asked. */
  onEnd (ending: Ending, outcome: Outcome | undefined): NextStep
  /**
   * How long to wait before the next attempt: a random part of a limit that doubles with each
   * attempt up to 30 s, but at least `holdMs`. Counts as a failed attempt.
   */
  nextDelayMs (holdMs?: number): number
  /** Whether the latest `holdMs` are not over yet. */
  isHeldOff (): boolean
  /** The application has called `open()`: attempts that have failed count no longer. */
  onOpenCalled (): void
}

/** What follows the end of a transport. */
export interface NextStep {
  /** Set: sync over HTTP, from this answer on, and go on trying the WebSocket. Unset: wait. */
  readonly fallback?: TimeOutcome
  readonly reason: string
  /** Wait as long as it says, or for ever. */
  readonly refusal?: RefusalOutcome | undefined
  /** Whether to sync over HTTP while waiting. */
  readonly isHttpOfUse?: boolean
}

const BACKOFF_MS = 500
const MAX_BACKOFF_MS = 30_000
/** A connection that ends sooner counts as a failed attempt. */
const STABLE_MS = 10_000
/** While the server does not answer, a WebSocket is tried at least this often. */
const MAX_WITHOUT_SOCKET_MS = 60_000
/** After so many short connections HTTP is used in between. */
const SHORT_LIVED = 2
/** The patience with a silent server doubles up to this often. */
const MAX_DOUBLINGS = 3

/** @param canFallBack whether HTTP may stand in for a WebSocket. */
export function createReconnectPolicy (
  { monotonic, random }: Pick<Environment, 'monotonic' | 'random'>, canFallBack: boolean
): ReconnectPolicy {
  let failureCount = 0
  let silenceCount = 0
  /** Rounds in succession in which HTTP worked and a WebSocket did not. */
  let blockedCount = 0
  let isServerDown = false
  let socketTriedMs = -Infinity
  let openedMs = 0
  let heldOffUntilMs = 0

  return {
    isSocketDue: () => !isServerDown || monotonic() - socketTriedMs >= MAX_WITHOUT_SOCKET_MS,
    isSocketWorthwhile: (outcome) => outcome.kind === 'time'
      ? !canFallBack || blockedCount === 0
      : outcome.kind === 'unreachable' && outcome.isReachable,
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
    onLost ({ isSilent }) {
      if (monotonic() - openedMs > STABLE_MS) failureCount = 0
      silenceCount = isSilent ? silenceCount + 1 : 0
    },
    onEnd ({ code, reason, wasOpen }, outcome) {
      if (outcome === undefined) {
        return code === DO_NOT_RETURN
          ? { reason, refusal: { ...refuse(403, 'DO_NOT_RETURN', reason), isFinal: true } }
          : { reason, isHttpOfUse: canFallBack && failureCount >= SHORT_LIVED }
      }
      isServerDown = outcome.kind === 'unreachable' && !outcome.isReachable
      if (outcome.kind === 'refusal') blockedCount = 0
      if (outcome.kind !== 'time') {
        const refusal = outcome.kind === 'refusal' ? outcome : undefined
        return { reason: reason === '' ? outcome.reason : reason, refusal }
      }
      if (wasOpen) return { reason }
      blockedCount++
      if (canFallBack) return { reason, fallback: outcome }
      const blocked = blockedCount > 1 ? refuse(200, 'BLOCKED', reason) : undefined
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
