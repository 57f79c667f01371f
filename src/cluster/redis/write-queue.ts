import type { Timers } from '../../util/timers.js'

/** A payload that waits for Redis. */
export interface Waiting {
  readonly payload: Uint8Array
  /** When it is given up, on the monotonic clock. */
  readonly expiresMs: number
  /** Confirms that Redis has it. */
  resolve (): void
  /** Gives it up. */
  reject (err: unknown): void
}

/** Payloads that wait for Redis, in order, within bounds of age and size. */
export interface Queue {
  /** @returns when Redis has it; rejects when it is given up. */
  add (payload: Uint8Array): Promise<void>
  /** Takes the first payload out, if there is one. */
  shift (): Waiting | undefined
  /** Puts back payloads that were taken out, in front; gives up those that are too old by now. */
  putBack (payloads: readonly Waiting[], err: unknown): void
  /** Gives up all. */
  clear (err: unknown): void
}

export interface QueueOptions {
  maxAgeMs: number
  maxBytes: number
  timers: Timers
}

/** Free places at the front before the rest moves up, so that taking the first costs little. */
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
      shift()?.reject(new Error(`Redis has not taken the message within ${maxAgeMs} ms`, { cause }))
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
      shift()?.reject(new Error(`more than ${maxBytes} bytes wait for Redis`, { cause }))
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
