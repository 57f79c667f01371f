/** Milliseconds that a `Date` can hold. */
const MAX_MS = 8.64e15

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
