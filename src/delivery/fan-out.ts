import { connectionNumber, wireFormatOf } from '../connections/client-connection.js'
import type { ClientConnection } from '../connections/client-connection.js'
import type { Frame } from '../protocol/frame.js'
import type { WireFormat } from '../protocol/time-v1-text.js'
import type { Timers } from '../util/timers.js'

/** One message on its way to many clients. */
export interface FanOutJob {
  /** The clients that get the message, in the order in which they connected. Never changed. */
  readonly recipients: readonly ClientConnection[]
  /**
   * Encodes the frame in one wire format. Called at most once per slice, and only if a client of
   * the slice has this format. Returns undefined on failure: the clients with this format then get
   * nothing.
   */
  encode (format: WireFormat): Frame | undefined
  /** Writes the frame to one client. */
  write (client: ClientConnection, frame: Frame): void
  /** Called when the message has been written to the last client, or the delivery is abandoned. */
  onEnd (): void
}

/**
 * Sends messages to many clients without blocking the process: in slices of a few milliseconds,
 * between which the event loop turns.
 */
export interface FanOut {
  /** True while a delivery is under way. */
  readonly isBusy: boolean
  /**
   * Starts a delivery after those in progress. If there are none, a short delivery has ended when
   * this returns. An exception of a job is thrown here or in a later turn of the event loop. It
   * ends no delivery.
   */
  start (job: FanOutJob): void
  /**
   * Writes the messages of all deliveries in progress to one client ahead of its turn, so that a
   * later message to this client stays in order.
   */
  sendPendingDeliveries (client: ClientConnection): void
  /** Stops all deliveries. Clients that have not been served get nothing. */
  abandon (): void
}

/** How long a slice lasts. */
const SLICE_MS = 4
/** How many clients are served between two readings of the clock. */
const CHUNK = 64

export function createFanOut (timers: Timers): FanOut {
  /** The deliveries in progress. The first one is being sent. */
  const runs: Run[] = []
  let isSending = false

  function send (): void {
    isSending = true
    try {
      sendUntil(timers.monotonic() + SLICE_MS)
    } finally {
      isSending = runs.length > 0
      // Also after an exception, so that the other clients get their messages.
      if (isSending) timers.soon(send)
    }
  }

  /**
   * Sends until all deliveries have ended, or `endMs` has passed, which is checked after each 64
   * clients of a delivery.
   */
  function sendUntil (endMs: number): void {
    for (let run = runs[0]; run !== undefined; run = runs[0]) {
      if (!sendSlice(run, endMs)) return
      // `abandon` has already removed this one.
      if (run.hasEnded) continue
      runs.shift()
      endRun(run)
    }
  }

  /** @returns true when every client has been served, or the delivery has been abandoned. */
  function sendSlice (run: Run, endMs: number): boolean {
    const { recipients } = run.job
    run.frames = {}
    for (let count = 1; run.next < recipients.length && !run.hasEnded; count++) {
      const client = recipients[run.next++] as ClientConnection
      if (!run.served.has(client)) write(run, client)
      if (count % CHUNK === 0 && timers.monotonic() >= endMs) break
    }
    return run.hasEnded || run.next === recipients.length
  }

  function write (run: Run, client: ClientConnection): void {
    const format = wireFormatOf(client)
    const frame = run.frames[format] ?? encode(run, format)
    // The application's `format` may have started a shutdown that abandons deliveries.
    if (frame !== 'failed' && !run.hasEnded) run.job.write(client, frame)
  }

  function encode (run: Run, format: WireFormat): Frame | 'failed' {
    run.isEncoding = true
    try {
      const frame = run.job.encode(format) ?? 'failed'
      run.frames[format] = frame
      return frame
    } finally {
      run.isEncoding = false
    }
  }

  return {
    get isBusy () {
      return runs.length > 0
    },
    start (job) {
      runs.push({ job, next: 0, served: new Set(), frames: {}, isEncoding: false, hasEnded: false })
      if (!isSending) send()
    },
    sendPendingDeliveries (client) {
      for (const run of runs) {
        // The option `format` itself sends a message while its tick is being encoded.
        if (run.isEncoding || run.served.has(client) || !isWaiting(run, client)) continue
        run.served.add(client)
        write(run, client)
      }
    },
    abandon () {
      for (const run of runs.splice(0)) endRun(run)
    }
  }
}

interface Run {
  readonly job: FanOutJob
  /** The index of the first recipient that has not been reached. */
  next: number
  /** The clients that were served before their turn. */
  readonly served: Set<ClientConnection>
  /** The frames encoded so far for the current slice. */
  frames: { [Format in WireFormat]?: Frame | 'failed' }
  isEncoding: boolean
  /** True once the delivery is complete or abandoned. */
  hasEnded: boolean
}

function endRun (run: Run): void {
  run.hasEnded = true
  run.job.onEnd()
}

/** True if the client has not been reached. A binary search: recipients are sorted by number. */
function isWaiting ({ job, next }: Run, client: ClientConnection): boolean {
  const { recipients } = job
  const number = connectionNumber(client)
  let [low, high] = [next, recipients.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = recipients[middle] as ClientConnection
    if (found === client) return true
    if (connectionNumber(found) < number) low = middle + 1
    else high = middle - 1
  }
  return false
}
