import type { Client } from './client.js'
import { TOO_MANY_MESSAGES } from './endings.js'
import type { FanOut } from '../delivery/fan-out.js'
import { encodeFrame } from '../protocol/frame.js'
import type { Counters } from '../observability/observer.js'
import type { RateLimit } from './rate-limit.js'
import type { Reading, ServerClock } from '../time/server-time.js'
import { readClientText, syncText } from '../protocol/time-v1-text.js'
import type { Timers } from '../util/timers.js'

/** Takes what a client has sent. */
export type Inbox<Context> = (client: Client<Context>, data: Buffer, isBinary: boolean) => void

export interface InboxOptions<Context> {
  clock: ServerClock
  timers: Timers
  fanOut: FanOut<Context>
  limit: RateLimit
  counters: Pick<Counters, 'messages'>
  /** Told each message for the application: text as string. */
  onMessage: (client: Client<Context>, data: string | Buffer) => void
}

/**
 * What becomes of inbound messages: those of `time.v1` are unwrapped, and requests for the time
 * answered at once, without a trace of them left here. Who sends too often is closed with 1008.
 */
export function createInbox<Context> (
  { clock, timers, fanOut, limit, counters: { messages }, onMessage }: InboxOptions<Context>
): Inbox<Context> {
  /** @param data undefined if it is of no use to anybody. */
  function take (client: Client<Context>, data: string | Buffer | undefined): void {
    if (!limit.takes(client, timers.monotonic())) return client.fail(TOO_MANY_MESSAGES)
    messages.received++
    if (data === undefined) messages.ignored++
    else onMessage(client, data)
  }

  /** @param arrival undefined while the clock fails: there is no answer then. */
  function sync (client: Client<Context>, id: number, arrival: Reading | undefined): void {
    const nowMs = timers.monotonic()
    const isTaken = limit.takes(client, nowMs)
    if (!isTaken && !limit.tolerates(client, nowMs)) return client.fail(TOO_MANY_MESSAGES)
    messages.received++
    if (!isTaken || arrival === undefined) messages.ignored++
    else answer(client, id, arrival)
  }

  function answer (client: Client<Context>, id: number, arrival: Reading): void {
    const { wallMs: at, monotonicMs } = arrival
    const { clockSteps } = clock
    // What is on its way to it goes first, and takes its time.
    fanOut.serve(client)
    const hold = timers.monotonic() - monotonicMs
    client.write(encodeFrame(syncText({ id, at, hold, clockSteps })))
  }

  return (client, data, isBinary) => {
    if (client.form === 'plain' || isBinary) return take(client, isBinary ? data : data.toString())
    // First thing: what is done until then would count as the way to the server.
    const arrival = clock.look()
    const message = readClientText(data.toString())
    if (message?.type === 'sync') sync(client, message.id, arrival)
    else take(client, message?.text)
  }
}
