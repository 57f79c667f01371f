import type { AsyncResource } from 'node:async_hooks'
import type { ResolvedOptions } from '../api/options.js'
import { createBroadcaster } from './broadcast.js'
import type { Broadcaster } from './broadcast.js'
import { createRelay } from '../cluster/relay.js'
import type { ConnectionDelivery } from '../connections/connection-lifecycle.js'
import type { Clients } from '../connections/client-registry.js'
import { createFanOut } from './fan-out.js'
import type { FanOut } from './fan-out.js'
import type { Log } from '../observability/log.js'
import type { Telemetry } from '../observability/telemetry.js'
import { createTicks } from './tick-delivery.js'
import type { Ticks } from './tick-delivery.js'
import type { WallClock } from '../time/wall-clock.js'
import type { Timers } from '../util/timers.js'

/** Everything that one registration sends to many clients: ticks and broadcasts. */
export interface Delivery<Context> extends
  ConnectionDelivery<Context>,
  Pick<Broadcaster<Context>, 'broadcast' | 'cancel' | 'open' | 'close'>,
  Pick<FanOut, 'abandon'>,
  Pick<Ticks<Context>, 'lastTick'> {
  /** From now on `broadcast` sends nothing, and returns 0. */
  refuseBroadcasts (): void
}

export interface DeliveryOptions<Context> {
  clients: Clients<Context>
  clock: WallClock
  timers: Timers
  /** The async context in which `format`, `onTick` and messages of other servers are handled. */
  scope: AsyncResource
  options: ResolvedOptions<Context>
  /** The full path of the route. */
  url: string
  telemetry: Telemetry<Context>
  log: Log
}

export function createDelivery<Context> (parts: DeliveryOptions<Context>): Delivery<Context> {
  const { clients, clock, timers, scope, options, url, telemetry, log } = parts
  const { backplane, immediate, namespace } = options
  const fanOut = createFanOut(timers)
  const ticks = createTicks({ clients, fanOut, clock, timers, scope, options, telemetry, log })
  const broadcaster = createBroadcaster({
    clients,
    fanOut,
    clock,
    timers,
    telemetry,
    createRelay: backplane && ((receive) => createRelay({
      backplane,
      registration: JSON.stringify([url, namespace]),
      counters: telemetry.backplane,
      timers,
      now: clock.now,
      log,
      receive: scope.bind(receive)
    })),
    log
  })

  return {
    broadcast: broadcaster.broadcast,
    cancel: broadcaster.cancel,
    sendPendingDeliveries: fanOut.sendPendingDeliveries,
    abandon: fanOut.abandon,
    get lastTick () {
      return ticks.lastTick
    },
    open: broadcaster.open,
    welcome (client, connect) {
      broadcaster.welcome(client, () => {
        connect()
        if (immediate) ticks.sendCurrent(client)
      })
    },
    refuseBroadcasts: broadcaster.refuse,
    close: broadcaster.close
  }
}
