import type { Timers } from '../../util/timers.js'

/** A message that waits for Redis. */
export interface Waiting {
  readonly payload: Uint8Array
  /** When it is given up, on the monotonic clock. */
  readonly expiresMs: number
  /** Says that Redis has it. */
  resolve (): void
  /** Gives it up. */
  reject (err: unknown): void
}

/** Messages that wait for Redis, in order, within bounds of age and size. */
export interface Queue {
  readonly size: number
  /** @returns what becomes of it: rejects when it is given up. */
  add (payload: Uint8Array): Promise<void>
  /** Takes the first of them out: at most so many, of at most so many bytes, but one. */
  take (maxCount: number, maxBytes: number): Waiting[]
  /** Puts back what `take` gave, where it was; gives up what is too old by now. */
  putBack (messages: readonly Waiting[], err: unknown): void
  /** Gives up all. */
  clear (err: unknown): void
}

export interface QueueOptions {
  maxAgeMs: number
  maxBytes: number
  timers: Timers
}

/** Places at the front that are free before the rest moves up: taking the first costs little. */
const MAX_FREE = 1024

export function createQueue ({ maxAgeMs, maxBytes, timers }: QueueOptions): Queue {
  let places: Waiting[] = []
  /** Where the first one stands. */
  let head = 0
  let bytes = 0
  let cancelExpiry: (() => void) | undefined
  /** Why they wait, if that is known. */
  let cause: unknown

  function shift (): Waiting {
    const first = places[head++] as Waiting
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
      shift().reject(new Error(`Redis has not taken the message within ${maxAgeMs} ms`, { cause }))
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
      shift().reject(new Error(`more than ${maxBytes} bytes wait for Redis`, { cause }))
    }
  }

  return {
    get size () {
      return places.length - head
    },
    add (payload) {
      return new Promise((resolve, reject) => {
        const expiresMs = timers.monotonic() + maxAgeMs
        places.push({ payload, expiresMs, resolve, reject })
        bytes += payload.length
        makeRoom()
        watch()
      })
    },
    take (maxCount, maxBytes) {
      const taken: Waiting[] = []
      let takenBytes = 0
      for (let next = places[head]; next !== undefined; next = places[head]) {
        takenBytes += next.payload.length
        if (taken.length === maxCount || (takenBytes > maxBytes && taken.length > 0)) break
        taken.push(shift())
      }
      cause = undefined
      return taken
    },
    putBack (messages, err) {
      cause = err
      places = [...messages, ...places.slice(head)]
      head = 0
      for (const { payload } of messages) bytes += payload.length
      expire()
      makeRoom()
    },
    clear (err) {
      while (places[head] !== undefined) shift().reject(err)
      cancelExpiry?.()
      cancelExpiry = undefined
    }
  }
}
