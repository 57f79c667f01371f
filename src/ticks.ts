import type { FastifyBaseLogger } from 'fastify'
import { attempt } from './attempt.js'
import type { Client } from './client.js'
import type { Clients } from './clients.js'
import { createCallbackFault, createFault } from './fault.js'
import { createTickEncoder } from './format.js'
import type { Frame } from './frame.js'
import type { ResolvedOptions } from './options.js'
import type { ServerClock } from './server-clock.js'
import { createTicker } from './ticker.js'
import type { Tick } from './ticker.js'
import type { Timers } from './timers.js'
import type { TickDelivery } from './types.js'

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
  clock: ServerClock
  timers: Timers
  options: ResolvedOptions<Context>
  log: FastifyBaseLogger
}

const NOBODY: TickDelivery = { delivered: 0, skipped: 0 }

/** Each tick is formatted and framed once, and the same bytes are written to every client. */
export function createTicks<Context> (
  { clients, clock, timers, options, log }: TicksOptions<Context>
): Ticks<Context> {
  const { interval: intervalMs, align } = options
  const encode = createTickEncoder(options.format, createFault(log, 'the formatter'))
  const fault = createCallbackFault(log, 'onTick', timers)
  const ticker = createTicker({ clock, timers, intervalMs, align, onTick })

  function onTick (tick: Tick): void {
    const frame = encode(tick)
    const delivery = frame === undefined ? NOBODY : deliver(frame)
    log.debug({ seq: tick.seq, at: tick.at, sent: tick.sent, ...delivery }, 'tick')
    attempt(fault, () => options.onTick(tick, delivery))
  }

  function deliver (frame: Frame): TickDelivery {
    let delivered = 0
    let skipped = 0
    for (const client of clients.byId.values()) {
      if (!client.isOpen) continue
      if (client.deliverTick(frame)) delivered++
      else skipped++
    }
    return { delivered, skipped }
  }

  return {
    start: ticker.start,
    stop: ticker.stop,
    sendCurrent (client) {
      const tick = ticker.current()
      const frame = tick && encode(tick)
      if (frame !== undefined) client.deliver(frame)
    },
    get lastTick () {
      return ticker.lastTick
    }
  }
}
