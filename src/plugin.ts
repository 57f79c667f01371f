import { AsyncResource } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'
import type { ResolvedOptions, TimeSocketOptions } from './api/options.js'
import type { TimeSocket, TimeSocketContext } from './api/time-socket.js'
import { resolveOptions } from './config/resolve-options.js'
import { startClientChecks } from './connections/client-checks.js'
import { createClients } from './connections/client-registry.js'
import type { Clients } from './connections/client-registry.js'
import { createConnections } from './connections/connection-lifecycle.js'
import { createHeartbeat } from './connections/heartbeat.js'
import { createShutdown, shutDownOnClose } from './connections/shutdown.js'
import type { Shutdown } from './connections/shutdown.js'
import { createDelivery } from './delivery/delivery.js'
import type { Delivery } from './delivery/delivery.js'
import { createCapacity } from './http/capacity.js'
import { createErrorHandler } from './http/error-handler.js'
import { createPlainAnswers } from './http/plain-answer.js'
import { createRefusals } from './http/refusals.js'
import { assertRegistrable, decorate, joinPath } from './http/registration.js'
import { createRoute } from './http/route.js'
import { createServedRoutes } from './http/served-client.js'
import { createTimeLimit } from './http/time-limit.js'
import { dispatchUpgrades } from './http/upgrade/upgrade-dispatch.js'
import { registerWebsocketServer } from './http/websocket-server.js'
import { createFailureLog, createOutageLog } from './observability/failure-log.js'
import { createLog } from './observability/log.js'
import { createTelemetry } from './observability/telemetry.js'
import type { Telemetry } from './observability/telemetry.js'
import { createFineClock } from './time/fine-clock.js'
import { createWallClock, SYSTEM_CLOCK } from './time/wall-clock.js'
import type { WallClock } from './time/wall-clock.js'
import { systemTimers, timersIn } from './util/timers.js'

/** Creates the parts of one time socket and connects them. Contains no logic of its own. */
export async function timeSocketPlugin (
  app: FastifyInstance, given: TimeSocketOptions
): Promise<void> {
  const options = resolveOptions<TimeSocketContext>(given, app.initialConfig.pluginTimeout)
  assertRegistrable(app, options)

  const url = joinPath(app.prefix, options.url)
  // Timers and shared callbacks must not run in the async context of one client.
  const scope = new AsyncResource('TimeSocket')
  const timers = timersIn(scope, systemTimers)
  const log = createLog(app, url, options)
  const telemetry = createTelemetry<TimeSocketContext>(timers, options.backplane !== undefined)
  const clock = createWallClock({
    source: options.clock === SYSTEM_CLOCK
      ? createFineClock({ coarse: SYSTEM_CLOCK, timers })
      : options.clock,
    timers,
    outageLog: createOutageLog(log, 'the clock', timers)
  })
  const clients = createClients<TimeSocketContext>()
  const delivery = createDelivery({
    clients, clock, timers, scope, options, url, telemetry, log
  })
  const heartbeat = options.heartbeat === false ? undefined : createHeartbeat(options.heartbeat)
  startClientChecks({ clients, timers, heartbeat, maxMessageBytes: options.maxMessageBytes })
  const connections = createConnections({
    clients, delivery, clock, timers, options, heartbeat, telemetry, log
  })
  const shutdown = createShutdown({
    clients,
    timers,
    scope,
    graceMs: options.shutdown.grace,
    spreadMs: options.shutdown.spread,
    delivery,
    whenCallbacksSettled: connections.whenCallbacksSettled
  })
  const capacity = createCapacity(options)

  const { handshakeTimeout } = options
  const dispatch = dispatchUpgrades(app, { handshakeTimeout, log, timers })
  const { guard } = dispatch
  await registerWebsocketServer(app, { options, dispatch, log })
  const refusals = createRefusals({ telemetry, guard, log, timers })
  dispatch.addTimeSocket(url, refusals.onEarlyEnd)
  const failureLog = createFailureLog(log, 'a hook or callback of the route', timers)
  app.route(createRoute({
    options,
    clock,
    timers: systemTimers,
    shutdown,
    connections,
    guard,
    capacity,
    limitTime: createTimeLimit(app, {
      timeoutMs: handshakeTimeout, timers: systemTimers, log
    }),
    refusals,
    failureLog,
    handleError: createErrorHandler(app, failureLog),
    plainAnswers: createPlainAnswers({
      clock,
      intervalMs: options.interval,
      checkCapacity: capacity.checkCapacity,
      handler: options.handler
    })
  }))
  for (const served of await createServedRoutes(options, log)) app.route(served)
  const timeSocket = createTimeSocket({
    options, url, clients, delivery, clock, telemetry, shutdown
  })
  telemetry.publishFor(timeSocket)
  decorate(app, timeSocket)
  app.addHook('onReady', delivery.open)
  shutDownOnClose(app, shutdown)
}

interface TimeSocketParts {
  options: ResolvedOptions<TimeSocketContext>
  url: string
  clients: Clients<TimeSocketContext>
  delivery: Delivery<TimeSocketContext>
  clock: WallClock
  telemetry: Telemetry<TimeSocketContext>
  shutdown: Shutdown
}

/** Creates the object that applications get as `app.timeSocket`. */
function createTimeSocket (
  { options, url, clients, delivery, clock, telemetry, shutdown }: TimeSocketParts
): TimeSocket {
  return {
    clients: clients.view,
    url,
    namespace: options.namespace,
    get lastTick () {
      return delivery.lastTick
    },
    now: clock.now,
    stats: () => telemetry.read({ clients: clients.byId.size, clockSteps: clock.clockSteps }),
    broadcast: delivery.broadcast,
    cancel: delivery.cancel,
    close: shutdown.start
  }
}
