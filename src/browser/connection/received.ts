import type { Exchange } from '../time/estimator.js'
import type { Source } from '../time/estimates.js'

/** What a server has sent: nothing is sure about it but that it is an object. */
export interface Received {
  readonly type?: unknown
  readonly server?: unknown
  readonly interval?: unknown
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

/** What has become of a plain `GET` of the time socket's URL. */
export type Outcome = TimeOutcome | RefusalOutcome | UnreachableOutcome

/** The server has told its time. */
export interface TimeOutcome {
  readonly kind: 'time'
  readonly source: Source
  readonly exchange: Exchange
  /** What a WebSocket would be refused with at present. */
  readonly upgrade: RefusalOutcome | undefined
}

export interface RefusalOutcome {
  readonly kind: 'refusal'
  readonly status: number
  readonly code: string | undefined
  /** Milliseconds that the server wants to be left alone for; 0 if it has not said. */
  readonly waitMs: number
  /** Trying again is of no use. */
  readonly isFinal: boolean
  readonly reason: string
}

export interface UnreachableOutcome {
  readonly kind: 'unreachable'
  readonly reason: string
  /** Something has answered, and the browser hides what. */
  readonly isReachable: boolean
}

/** Milliseconds that a `Date` can hold. */
const MAX_MS = 8.64e15
/** The code of a refusal by what is no time socket. */
export const NOT_A_TIME_SOCKET = 'NOT_A_TIME_SOCKET'

/** @returns an empty object for a text that is no JSON. */
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

/** A refusal that says nothing about when to come back. */
export function refuse (status: number, code: unknown, reason: string): RefusalOutcome {
  return {
    kind: 'refusal',
    status,
    code: typeof code === 'string' ? code : undefined,
    waitMs: 0,
    isFinal: false,
    reason
  }
}
