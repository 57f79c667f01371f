import type { Exchange } from '../time/estimator.js'
import type { Source } from '../time/estimates.js'

/** An object from a server. Nothing is known about its fields. */
export interface Received {
  readonly type?: unknown
  readonly server?: unknown
  readonly interval?: unknown
  readonly seq?: unknown
  readonly clockSteps?: unknown
  readonly at?: unknown
  readonly sent?: unknown
  readonly now?: unknown
  readonly id?: unknown
  readonly hold?: unknown
  readonly data?: unknown
  readonly key?: unknown
  readonly code?: unknown
  readonly upgrade?: unknown
}

/** The outcome of a plain `GET` of the time socket's URL. */
export type Outcome = TimeOutcome | RefusalOutcome | UnreachableOutcome

/** The server has answered with its time. */
export interface TimeOutcome {
  readonly kind: 'time'
  readonly source: Source
  readonly exchange: Exchange
  /** The refusal that a WebSocket would get at present; undefined if there is room. */
  readonly upgrade: RefusalOutcome | undefined
}

export interface RefusalOutcome {
  readonly kind: 'refusal'
  readonly status: number
  readonly code: string | undefined
  /** Milliseconds that the server asks the client to wait; 0 if the server does not say. */
  readonly waitMs: number
  /** True if it is pointless to try again. */
  readonly isFinal: boolean
  readonly reason: string
}

export interface UnreachableOutcome {
  readonly kind: 'unreachable'
  readonly reason: string
  /** False if the URL could not be resolved, or the page may not read the server's answer. */
  readonly isServerDown: boolean
}

/** The range of a `Date`, in milliseconds. */
const MAX_MS = 8.64e15
/** The code of a refusal by a server that is not a time socket. */
export const NOT_A_TIME_SOCKET = 'NOT_A_TIME_SOCKET'

/**
 * Parses a message.
 *
 * @returns an empty object if the text is not JSON.
 */
export function readJson (text: string): Received {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

export function isTime (value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_MS
}

/** Creates a refusal that names no waiting time. */
export function createRefusal (status: number, code: unknown, reason: string): RefusalOutcome {
  return {
    kind: 'refusal',
    status,
    code: typeof code === 'string' ? code : undefined,
    waitMs: 0,
    isFinal: false,
    reason
  }
}
