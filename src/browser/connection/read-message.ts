/** What a server has sent: nothing is sure about it but that it is an object. */
export interface Received {
  readonly type?: unknown
  readonly server?: unknown
  readonly interval?: unknown
  readonly clockSteps?: unknown
  readonly at?: unknown
  readonly sent?: unknown
  readonly id?: unknown
  readonly hold?: unknown
  readonly data?: unknown
  readonly key?: unknown
}

/** Times as `Date#toISOString` or `Date#toString` write them, or milliseconds since 1970. */
const TIME = /^(\d{4}-\d\d-\d\dT|\w{3} \w{3} \d\d \d{4} |\d{12,14}(\.\d+)?$)/
/** Milliseconds that a `Date` can hold. */
const MAX_MS = 8.64e15

export function readMessage (text: string): Received {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

/** Reads the time that a server without `time.v1` tells. @returns NaN if it tells none. */
export function readTime (text: string): number {
  return TIME.test(text) ? Number(text) || Date.parse(text) : NaN
}

export function isTime (value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_MS
}
