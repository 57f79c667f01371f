import type { FastifyInstance } from 'fastify'
import { createBroadcaster } from './delivery/broadcast.js'
import { createCapacity } from './http/capacity.js'
import { createClients } from './connections/client-registry.js'
import { createConnections } from './connections/connection-lifecycle.js'
import { createDrain, drainOnClose } from './connections/shutdown.js'
import { createFanOut } from './delivery/fan-out.js'
import { createFault } from './observability/failure-log.js'
import { createFineClock } from './time/fine-clock.js'
import { createHeartbeat } from './connections/heartbeat.js'
import { createLog } from './observability/log.js'
import { createObserver } from './observability/observer.js'
import type { TimeSocketOptions } from './api/options.js'
import { createRefusals } from './http/refusal-counter.js'
import { assertRegistrable, decorate, joinPath } from './http/registration.js'
import { createRelay } from './cluster/relay.js'
import { resolveOptions } from './config/resolve-options.js'
import { createRoute } from './http/route.js'
import { createServerClock, SYSTEM_CLOCK } from './time/server-time.js'
import { createPlainAnswers } from './http/plain-answer.js'
import { createTicks } from './delivery/tick-delivery.js'
import { createTimeLimit } from './http/time-limit.js'
import { systemTimers as timers } from './util/timers.js'
import type { TimeSocket, TimeSocketContext } from './api/time-socket.js'
import { dispatchUpgrades } from './http/upgrade-dispatch.js'
import { createWatch } from './connections/client-checks.js'
import { disown, registerWebsocketServer } from './http/websocket-server.js'

/** Puts the parts together, in the order in which they need each other. */
export async function timeSocketPlugin (
  app: FastifyInstance, given: TimeSocketOptions
): Promise<void> {
  const options = resolveOptions<TimeSocketContext>(given, app.initialConfig.pluginTimeout)
  assertRegistrable(app, options)

  const url = joinPath(app.prefix, options.url)
  const log = createLog(app, url, options)
  const isFine = options.clock === SYSTEM_CLOCK
  const source = isFine ? createFineClock({ coarse: SYSTEM_CLOCK, timers }) : options.clock
  const clock = createServerClock({ source, timers, fault: createFault(log, 'the clock') })
  const clients = createClients<TimeSocketContext>({
    onFirst () {
      ticks.start()
      watch.start()
    },
    onEmpty () {
      ticks.stop()
      watch.stop()
    }
  })
  const observer = createObserver<TimeSocketContext>(timers, options.backplane !== undefined)
  const heartbeat = options.heartbeat === false ? undefined : createHeartbeat(options.heartbeat)
  const watch = createWatch({ clients, timers, heartbeat })
  const fanOut = createFanOut<TimeSocketContext>(timers)
  const ticks = createTicks({ clients, fanOut, clock, timers, options, observer, log })
  const { sendCurrent } = ticks
  const isClosed = (): boolean => drain.hasTold
  const { backplane } = options
  const relay = backplane && createRelay({
    backplane,
    registration: JSON.stringify([url, options.namespace]),
    counters: observer.backplane,
    timers,
    now: clock.now,
    log,
    receive: (message) => broadcaster.receive(message)
  })
  const broadcaster = createBroadcaster({
    clients, fanOut, clock, timers, observer, relay, log, isClosed
  })
  const { broadcast, cancel, welcome } = broadcaster
  const connections = createConnections({
    clients, fanOut, clock, timers, options, heartbeat, observer, sendCurrent, welcome, log
  })
  const { whenTold } = connections
  const { grace: graceMs, spread: spreadMs } = options.shutdown
  const hangUp = async (): Promise<void> => {
    broadcaster.close()
    await relay?.close()
  }
  const drain = createDrain({
    clients, timers, graceMs, spreadMs, abandon: fanOut.abandon, whenTold, hangUp
  })
  const capacity = createCapacity(options)

  const { handshakeTimeout } = options
  const dispatch = dispatchUpgrades(app, { handshakeTimeout, log, timers })
  const { guard } = dispatch
  await registerWebsocketServer(app, { options, dispatch, log })
  app.route(createRoute({
    options,
    clock,
    timers,
    isClosing: () => drain.started,
    limitTime: createTimeLimit(options.handshakeTimeout, timers),
    findRoom: capacity.findRoom,
    refusals: createRefusals(observer, guard),
    plainAnswers: createPlainAnswers({
      clock,
      intervalMs: options.interval,
      findRoom: capacity.findRoom,
      handler: options.handler
    }),
    accept (ws, request, admitted) {
      disown(app.websocketServer, ws)
      guard.release(request.raw.socket)
      capacity.settle(request)
      const client = connections.accept(ws, request, admitted)
      // Other plugins may have kept it waiting after the last look.
      if (drain.started) drain.sendHome(client)
    }
  }))
  const timeSocket: TimeSocket = {
    clients: clients.byId,
    url,
    namespace: options.namespace,
    get lastTick () {
      return ticks.lastTick
    },
    now: clock.now,
    stats: () => observer.read({ clients: clients.byId.size, clockSteps: clock.clockSteps }),
    broadcast,
    cancel,
    close: drain.start
  }
  observer.observe(timeSocket)
  decorate(app, timeSocket)
  if (relay !== undefined) app.addHook('onReady', relay.start)
  drainOnClose(app, drain)
}
