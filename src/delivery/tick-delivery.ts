import { attempt } from '../observability/attempt.js'
import type { Client } from '../connections/client.js'
import type { Clients } from '../connections/client-registry.js'
import type { FanOut } from './fan-out.js'
import { createCallbackFault, createFault } from '../observability/failure-log.js'
import { createTickEncoder } from '../time/tick-format.js'
import { encodeFrame } from '../protocol/frame.js'
import type { Frame } from '../protocol/frame.js'
import type { Log } from '../observability/log.js'
import type { Observer } from '../observability/observer.js'
import type { ResolvedOptions } from '../api/options.js'
import type { ServerClock } from '../time/server-time.js'
import { createTicker } from '../time/tick-schedule.js'
import type { Tick } from '../api/tick.js'
import { tickText } from '../protocol/time-v1-text.js'
import type { Form } from '../protocol/time-v1-text.js'
import type { Timers } from '../util/timers.js'

/** Sends the time, while there is somebody to send it to. */
export interface Ticks<Context> {
  /** Starts ticking; without effect while it does. */
  start (): void
  /** Stops ticking, leaving no timer behind. */
  stop (): void
  /** Sends one client, who has just come, the latest tick as of now. `onTick` is not told. */
  sendCurrent (client: Client<Context>): void
  /** The last tick sent to all. */
  readonly lastTick: Tick | undefined
}

export interface TicksOptions<Context> {
  clients: Clients<Context>
  fanOut: FanOut<Context>
  clock: ServerClock
  timers: Timers
  options: ResolvedOptions<Context>
  observer: Observer<Context>
  log: Log
}

/**
 * Each tick is formatted and framed once per slice of a fan-out and form, with `sent` as of then,
 * and the same bytes are written to every client of the slice that takes this form.
 */
export function createTicks<Context> (
  { clients, fanOut, clock, timers, options, observer, log }: TicksOptions<Context>
): Ticks<Context> {
  const { interval: intervalMs } = options
  const encoders: Record<Form, (tick: Tick) => Frame | undefined> = {
    plain: createTickEncoder(options.format, createFault(log, 'the formatter')),
    time: (tick) => encodeFrame(tickText(tick))
  }
  const fault = createCallbackFault(log, 'onTick', timers)
  const { ticks: counts } = observer.counters
  const ticker = createTicker({
    clock,
    timers,
    intervalMs,
    isBusy: () => isSending,
    onTick,
    onMissed (count) {
      counts.missed += count
    }
  })
  let isSending = false

  function onTick (tick: Tick): void {
    isSending = true
    const delivery = { delivered: 0, skipped: 0 }
    let isLate = fanOut.isBusy
    let hasFailed = false
    fanOut.start({
      recipients: [...clients.byId.values()].filter(({ isOpen }) => isOpen),
      encode (form) {
        const sent = isLate ? Math.max(tick.sent, clock.now()) : tick.sent
        isLate = true
        const frame = encoders[form](Object.freeze({ ...tick, sent }))
        hasFailed ||= frame === undefined
        return frame
      },
      deliver (client, frame) {
        if (client.writeTick(frame)) delivery.delivered++
        else if (client.isOpen) delivery.skipped++
      },
      onEnd () {
        isSending = false
        if (hasFailed) counts.failed++
        observer.ticked(tick, delivery)
        log.debug({ seq: tick.seq, at: tick.at, sent: tick.sent, ...delivery }, 'tick')
        attempt(fault, () => options.onTick(tick, Object.freeze(delivery)))
      }
    })
  }

  return {
    start: ticker.start,
    stop: ticker.stop,
    sendCurrent (client) {
      const tick = ticker.current()
      const frame = tick && encoders[client.form](tick)
      if (frame !== undefined) client.deliver(frame)
    },
    get lastTick () {
      return ticker.lastTick
    }
  }
}
