import { messageQuota, syncQuota } from './client.js'
import type { Client } from './client.js'
import { closeAndStopReading, hostOf, wireFormatOf, writeFrame } from './client-connection.js'
import { TOO_MANY_MESSAGES } from './endings.js'
import type { Counters } from '../observability/telemetry.js'
import { encodeFrame } from '../protocol/frame.js'
import { readClientText, syncText } from '../protocol/time-v1-text.js'
import { createRateLimit } from './rate-limit.js'
import type { Rate } from './rate-limit.js'
import type { Reading, WallClock } from '../time/wall-clock.js'
import type { Timers } from '../util/timers.js'

/** Handles what a client has sent. */
export interface InboundMessages<Context> {
  onMessage (client: Client<Context>, data: Buffer, isBinary: boolean): void
  /** Called for each ping, and for each pong that answers no ping of the server. */
  onControlFrame (client: Client<Context>): void
}

export interface InboundMessagesOptions<Context> {
  clock: WallClock
  timers: Timers
  /**
   * The limit for application messages, pings and pongs; `false` also lifts the limit for `sync`.
   */
  messageRate: Rate | false
  counters: Pick<Counters, 'messages'>
  /** Called with each message for the application: text as a string. */
  onMessage: (client: Client<Context>, data: string | Buffer) => void
}

/**
 * `sync` requests have a rate of their own, so that a clock never uses up the application's tokens.
 */
const SYNC_RATE: Rate = { burst: 20, perSecond: 2 }

/**
 * Unwraps messages of `time.v1`, and answers `sync` requests at once. Closes a client with 1008 if
 * it sends too often. A `sync` request uses a token, but leaves no other state behind.
 */
export function createInboundMessages<Context> (
  { clock, timers, messageRate, counters: { messages }, onMessage }: InboundMessagesOptions<Context>
): InboundMessages<Context> {
  const messageLimit = createRateLimit(messageRate, messageQuota)
  const syncLimit = createRateLimit(messageRate !== false && SYNC_RATE, syncQuota)

  /** @param data undefined if the message is invalid. */
  function receive (client: Client<Context>, data: string | Buffer | undefined): void {
    if (!messageLimit.tryAcquire(client, timers.monotonic())) {
      return closeAndStopReading(client, TOO_MANY_MESSAGES)
    }
    messages.received++
    if (data === undefined) messages.ignored++
    else onMessage(client, data)
  }

  /** @param arrival undefined while the clock fails: the request is then not answered. */
  function receiveSync (client: Client<Context>, id: number, arrival: Reading | undefined): void {
    const nowMs = timers.monotonic()
    const mayPass = syncLimit.tryAcquire(client, nowMs)
    if (!mayPass && !syncLimit.withinHardLimit(client, nowMs)) {
      return closeAndStopReading(client, TOO_MANY_MESSAGES)
    }
    messages.received++
    if (!mayPass || arrival === undefined) messages.ignored++
    else answerSync(client, id, arrival)
  }

  function answerSync (client: Client<Context>, id: number, arrival: Reading): void {
    const { wallMs: at, monotonicMs } = arrival
    const { clockSteps } = clock
    // Must precede the measurement of `hold`, because sending these deliveries takes time.
    hostOf(client).sendPendingDeliveries(client)
    const hold = timers.monotonic() - monotonicMs
    writeFrame(client, encodeFrame(syncText({ id, at, hold, clockSteps })))
  }

  return {
    onMessage (client, data, isBinary) {
      if (wireFormatOf(client) === 'plain' || isBinary) {
        return receive(client, isBinary ? data : data.toString())
      }
      // Must come first: time that passes before this reading would count as network delay.
      const arrival = clock.readClocks()
      const message = readClientText(data.toString())
      if (message?.type === 'sync') receiveSync(client, message.id, arrival)
      else receive(client, message?.text)
    },
    onControlFrame (client) {
      if (messageLimit.tryAcquire(client, timers.monotonic())) return
      closeAndStopReading(client, TOO_MANY_MESSAGES)
    }
  }
}
