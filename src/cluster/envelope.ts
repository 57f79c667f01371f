import type { Content } from '../protocol/outgoing-message.js'
import type { Scalar } from '../api/time-socket.js'
import { isPlainObject, isScalar, isTime } from '../util/values.js'

/** A message from one server to the others. Several may travel in one payload of a backplane. */
export type Envelope = Alive | Broadcast | Cancel

/** Identifies a sender. */
export interface Identity {
  /** Identifies the time socket: the same on every server that registers it. */
  readonly registration: string
  /** The random id of one time socket in one process. */
  readonly peer: string
}

/** The sender, and the place of the envelope in the sender's order. */
export interface Sender extends Identity {
  /** Increases by one with each broadcast and cancel of this peer, starting at 1. */
  readonly seq: number
}

/**
 * Announces that a peer is alive. Its `seq` is that of the peer's latest message, or 0 before the
 * first.
 */
export interface Alive extends Sender {
  readonly type: 'alive'
  /** The newest wire format that this peer reads: see `format-choice.ts`. */
  readonly reads: number
}

/** A broadcast, for the clients of all servers. */
export interface Broadcast extends Sender, Recipients {
  readonly type: 'broadcast'
  /** When the broadcast was sent: the peer's time, milliseconds since the Unix epoch. */
  readonly sent: number
  /** When the broadcast takes effect, by the peer's clock; undefined for at once. */
  readonly at?: number | undefined
  /** Never empty. */
  readonly key?: string | undefined
  readonly content: Content
}

/** Withdraws the pending broadcast with this key. */
export interface Cancel extends Sender {
  readonly type: 'cancel'
  readonly sent: number
  /** Never empty. */
  readonly key: string
}

/** A message without the fields that the publisher adds. */
export type Message = WithoutSender<Broadcast> | WithoutSender<Cancel>

type WithoutSender<Type> = Omit<Type, keyof Sender | 'sent'>

/** Which clients get a broadcast: the conditions that can be sent to other servers. */
export interface Recipients {
  readonly where?: Where | undefined
  readonly except?: readonly string[] | undefined
}

type Where = { readonly [field: string]: Scalar | readonly Scalar[] }

/**
 * Reads the options of a broadcast that another server has sent.
 *
 * @returns undefined if one of them is wrong.
 */
export function readBroadcastFields (
  { where, except, at, key }: Record<string, unknown>
): Pick<Broadcast, 'where' | 'except' | 'at' | 'key'> | undefined {
  if (!isOptional(where, isWhere) || !isOptional(except, isTexts)) return undefined
  if (!isOptional(at, isTime) || !isOptional(key, isKey)) return undefined
  return { where, except, at, key }
}

export function isText (value: unknown): value is string {
  return typeof value === 'string'
}

/** The same rule as for `broadcast` and `cancel`. */
export function isKey (value: unknown): value is string {
  return isText(value) && value !== ''
}

export function isCount (value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isOptional<Value> (
  value: unknown, isValid: (value: unknown) => value is Value
): value is Value | undefined {
  return value === undefined || isValid(value)
}

function isTexts (value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}

function isWhere (value: unknown): value is Where {
  return isPlainObject(value) &&
    Object.values(value).every((wanted) => [wanted].flat().every(isScalar))
}
