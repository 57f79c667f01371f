import type { AsyncResource } from 'node:async_hooks'
import type { ResolvedOptions } from '../api/options.js'
import type { Tick } from '../api/content.js'
import type { Client } from '../connections/client.js'
import { deliverFrame, isOpen, wireFormatOf, writeTick } from '../connections/client-connection.js'
import type { Clients } from '../connections/client-registry.js'
import type { FanOut } from './fan-out.js'
import { attempt, createFailureLog, createOutageLog } from '../observability/failure-log.js'
import type { Log } from '../observability/log.js'
import type { Telemetry } from '../observability/telemetry.js'
import { encodeFrame } from '../protocol/frame.js'
import type { Frame } from '../protocol/frame.js'
import { tickText } from '../protocol/time-v1-text.js'
import type { WireFormat } from '../protocol/time-v1-text.js'
import type { WallClock } from '../time/wall-clock.js'
import { createTickEncoder } from '../time/tick-format.js'
import { createTicker } from '../time/tick-schedule.js'
import type { Timers } from '../util/timers.js'

/** Sends the time to all clients, as long as there are any. */
export interface Ticks<Context> {
  /**
   * Sends a new client, if it is open, the latest tick, whose `sent` is the current time. Does not
   * call `onTick`.
   */
  sendCurrent (client: Client<Context>): void
  /** The last tick sent to all clients; undefined before the first. */
  readonly lastTick: Tick | undefined
}

export interface TicksOptions<Context> {
  clients: Clients<Context>
  fanOut: FanOut
  clock: WallClock
  timers: Timers
  /** The async context in which `format` and `onTick` run. */
  scope: AsyncResource
  options: Pick<ResolvedOptions<Context>, 'interval' | 'format' | 'onTick'>
  telemetry: Telemetry<Context>
  log: Log
}

/**
 * A tick is encoded once per wire format and slice of the fan-out. `sent` is the time of that
 * encoding. The same bytes are written to every client of the slice that has this format.
 */
export function createTicks<Context> (
  { clients, fanOut, clock, timers, scope, options, telemetry, log }: TicksOptions<Context>
): Ticks<Context> {
  const format = scope.bind(options.format)
  const onTick = scope.bind(options.onTick)
  const encoders: Record<WireFormat, (tick: Tick) => Frame | undefined> = {
    plain: createTickEncoder(format, createOutageLog(log, 'the formatter', timers)),
    time: (tick) => encodeFrame(tickText(tick))
  }
  const failureLog = createFailureLog(log, 'onTick', timers)
  const { ticks: counts } = telemetry.counters
  let isSending = false
  const ticker = createTicker({
    clock,
    timers,
    intervalMs: options.interval,
    isBusy: () => isSending,
    onTick: send,
    onMissed (count) {
      counts.missed += count
    }
  })

  function send (tick: Tick): void {
    isSending = true
    const delivery = { delivered: 0, skipped: 0 }
    let isLate = fanOut.isBusy
    let hasFailed = false
    fanOut.start({
      recipients: clients.openClients(),
      encode (format) {
        const sent = isLate ? Math.max(tick.sent, clock.now()) : tick.sent
        isLate = true
        const frame = encoders[format](Object.freeze({ ...tick, sent }))
        hasFailed ||= frame === undefined
        return frame
      },
      write (client, frame) {
        if (writeTick(client, frame)) delivery.delivered++
        else if (isOpen(client)) delivery.skipped++
      },
      onEnd () {
        isSending = false
        if (hasFailed) counts.failed++
        telemetry.ticked(tick, delivery)
        log.debug({ seq: tick.seq, at: tick.at, sent: tick.sent, ...delivery }, 'tick')
        attempt(failureLog, () => onTick(tick, Object.freeze(delivery)))
      }
    })
  }

  clients.runWhileConnected(ticker)
  return {
    sendCurrent (client) {
      if (!isOpen(client)) return
      const tick = ticker.current()
      const frame = tick && encoders[wireFormatOf(client)](tick)
      if (frame !== undefined) deliverFrame(client, frame)
    },
    get lastTick () {
      return ticker.lastTick
    }
  }
}
