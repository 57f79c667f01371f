import type { Timers } from '../../util/timers.js'

/** A payload that waits for Redis. */
export interface Waiting {
  readonly payload: Uint8Array
  /** When the payload is dropped, on the monotonic clock. */
  readonly expiresMs: number
  /** Confirms that Redis has the payload. */
  resolve (): void
  /** Reports that the payload has been dropped. */
  reject (err: unknown): void
}

/** Payloads that wait for Redis, in order, within bounds of age and size. */
export interface Queue {
  /**
   * @returns a promise that resolves when Redis has the payload, and rejects when it is dropped.
   */
  add (payload: Uint8Array): Promise<void>
  /** Removes and returns the first payload; undefined if the queue is empty. */
  shift (): Waiting | undefined
  /** Puts payloads that were taken out back to the front. Drops those that are too old by now. */
  putBack (payloads: readonly Waiting[], err: unknown): void
  /** Drops all payloads. */
  clear (err: unknown): void
}

export interface QueueOptions {
  maxAgeMs: number
  maxBytes: number
  timers: Timers
}

/**
 * How many free places may be at the front before the array is compacted, so that `shift` is cheap.
 */
const MAX_FREE = 1024

export function createQueue ({ maxAgeMs, maxBytes, timers }: QueueOptions): Queue {
  let places: Waiting[] = []
  /** Index of the first payload. */
  let head = 0
  let bytes = 0
  let cancelExpiry: (() => void) | undefined
  /** Why the payloads wait, if that is known. */
  let cause: unknown

  function shift (): Waiting | undefined {
    const first = places[head]
    if (first === undefined) return undefined
    head++
    bytes -= first.payload.length
    if (head > MAX_FREE && head * 2 > places.length) {
      places = places.slice(head)
      head = 0
    }
    return first
  }

  function expire (): void {
    cancelExpiry?.()
    cancelExpiry = undefined
    const nowMs = timers.monotonic()
    while ((places[head]?.expiresMs ?? Infinity) <= nowMs) {
      shift()?.reject(new Error(`Redis has not accepted the message within ${maxAgeMs} ms`, { cause }))
    }
    watch()
  }

  function watch (): void {
    const first = places[head]
    if (first === undefined) return
    cancelExpiry ??= timers.after(Math.ceil(first.expiresMs - timers.monotonic()), expire)
  }

  function makeRoom (): void {
    while (bytes > maxBytes) {
      shift()?.reject(new Error(`more than ${maxBytes} bytes are waiting for Redis`, { cause }))
    }
  }

  return {
    add (payload) {
      return new Promise((resolve, reject) => {
        const expiresMs = timers.monotonic() + maxAgeMs
        places.push({ payload, expiresMs, resolve, reject })
        bytes += payload.length
        makeRoom()
        watch()
      })
    },
    shift () {
      cause = undefined
      return shift()
    },
    putBack (payloads, err) {
      cause = err
      places = [...payloads, ...places.slice(head)]
      head = 0
      for (const { payload } of payloads) bytes += payload.length
      expire()
      makeRoom()
    },
    clear (err) {
      for (let first = shift(); first !== undefined; first = shift()) first.reject(err)
      cancelExpiry?.()
      cancelExpiry = undefined
    }
  }
}
