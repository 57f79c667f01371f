import type { Client } from '../connections/client.js'
import type { Frame } from '../protocol/frame.js'
import type { Form } from '../protocol/time-v1-text.js'
import type { Timers } from '../util/timers.js'

/** One message on its way to many clients. */
export interface Delivery<Context> {
  /** Who gets it, in the order in which they connected. Never changed. */
  readonly recipients: readonly Client<Context>[]
  /**
   * Makes the bytes in one form, at most once per slice, and only if one of its clients takes
   * that form; undefined when that failed: all of these then go without.
   */
  encode (form: Form): Frame | undefined
  /** Hands the bytes to one client. */
  deliver (client: Client<Context>, frame: Frame): void
  /** Called when the last one has been served. */
  onEnd (): void
}

/**
 * Sends to many clients without holding up the process: in slices of a few
 * milliseconds, between which the event loop turns.
 */
export interface FanOut<Context> {
  /** Whether a delivery is on its way. */
  readonly isBusy: boolean
  /** Starts a delivery, after those before it; a short one has ended when this returns. */
  start (delivery: Delivery<Context>): void
  /** Serves one client first with whatever is on its way to it: what follows stays in order. */
  serve (client: Client<Context>): void
  /** Ends all deliveries where they are. */
  abandon (): void
}

/** How long a slice lasts. */
const SLICE_MS = 4
/** How many clients are served between two looks at the clock. */
const CHUNK = 64

export function createFanOut<Context> (timers: Timers): FanOut<Context> {
  /** On their way, the first one being sent. */
  const runs: Run<Context>[] = []
  let isSending = false

  function send (): void {
    isSending = true
    const endMs = timers.monotonic() + SLICE_MS
    for (let run = runs[0]; run !== undefined; run = runs[0]) {
      if (!sendSlice(run, endMs)) {
        timers.soon(send)
        return
      }
      runs.shift()
      run.delivery.onEnd()
    }
    isSending = false
  }

  /** @returns whether all have been served. */
  function sendSlice (run: Run<Context>, endMs: number): boolean {
    const { recipients } = run.delivery
    run.frames = {}
    for (let count = 1; run.next < recipients.length; count++) {
      const client = recipients[run.next++] as Client<Context>
      if (!run.served.has(client)) deliver(run, client)
      if (count % CHUNK === 0 && timers.monotonic() >= endMs) break
    }
    return run.next === recipients.length
  }

  function deliver (run: Run<Context>, client: Client<Context>): void {
    const frame = run.frames[client.form] ?? encode(run, client.form)
    if (frame !== 'failed') run.delivery.deliver(client, frame)
  }

  function encode (run: Run<Context>, form: Form): Frame | 'failed' {
    run.isEncoding = true
    const frame = run.delivery.encode(form) ?? 'failed'
    run.isEncoding = false
    run.frames[form] = frame
    return frame
  }

  return {
    get isBusy () {
      return runs.length > 0
    },
    start (delivery) {
      runs.push({ delivery, next: 0, served: new Set(), frames: {}, isEncoding: false })
      if (!isSending) send()
    },
    serve (client) {
      for (const run of runs) {
        // A format that sends messages finds its own tick not there yet.
        if (run.isEncoding || run.served.has(client) || !isWaiting(run, client)) continue
        run.served.add(client)
        deliver(run, client)
      }
    },
    abandon () {
      for (const { delivery } of runs.splice(0)) delivery.onEnd()
    }
  }
}

interface Run<Context> {
  readonly delivery: Delivery<Context>
  /** The index of the first recipient whose turn has not come. */
  next: number
  /** Those who were served before their turn. */
  readonly served: Set<Client<Context>>
  /** Those of the present slice, as far as they were needed. */
  frames: { [Name in Form]?: Frame | 'failed' }
  isEncoding: boolean
}

/** Whether the client is among those whose turn has not come: a binary search, by age. */
function isWaiting<Context> ({ delivery, next }: Run<Context>, client: Client<Context>): boolean {
  const { recipients } = delivery
  let [low, high] = [next, recipients.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = recipients[middle] as Client<Context>
    if (found === client) return true
    if (found.number < client.number) low = middle + 1
    else high = middle - 1
  }
  return false
}
