import type { FastifyInstance } from 'fastify'
import { createBroadcast } from './broadcast.js'
import { createCapacity } from './capacity.js'
import { createClients } from './clients.js'
import { createConnections } from './connections.js'
import { createDrain, drainOnClose } from './drain.js'
import { createFanOut } from './fan-out.js'
import { createFault } from './fault.js'
import { createLog } from './log.js'
import { resolveOptions } from './options.js'
import type { TimeSocketOptions } from './options.js'
import { assertRegistrable, decorate, joinPath } from './registration.js'
import { createRoute } from './route.js'
import { createServerClock } from './server-clock.js'
import { createTellTime } from './tell-time.js'
import { createTicks } from './ticks.js'
import { createTimeLimit } from './time-limit.js'
import { systemTimers as timers } from './timers.js'
import type { TimeSocketContext } from './types.js'
import { guardUpgrades } from './upgrade-guard.js'
import { registerWebsocketServer } from './websocket-server.js'

/** Puts the parts together, in the order in which they need each other. */
export async function timeSocketPlugin (
  app: FastifyInstance, given: TimeSocketOptions
): Promise<void> {
  const options = resolveOptions<TimeSocketContext>(given, app.initialConfig.pluginTimeout)
  assertRegistrable(app, options)

  const url = joinPath(app.prefix, options.url)
  const log = createLog(app, url, options)
  const clockFault = createFault(log, 'the clock')
  const clock = createServerClock({ source: options.clock, timers, fault: clockFault })
  const clients = createClients<TimeSocketContext>({
    onFirst: () => ticks.start(),
    onEmpty: () => ticks.stop()
  })
  const fanOut = createFanOut<TimeSocketContext>(timers)
  const ticks = createTicks({ clients, fanOut, clock, timers, options, log })
  const { sendCurrent } = ticks
  const connections = createConnections({
    clients, fanOut, clock, timers, options, sendCurrent, log
  })
  const { whenTold } = connections
  const drain = createDrain({ clients, graceMs: options.drain.grace, whenTold })
  const capacity = createCapacity(options)
  const isClosing = () => drain.started

  await registerWebsocketServer(app, options.websocket)
  const guard = guardUpgrades(app, options.handshakeTimeout)
  app.route(createRoute({
    options,
    isClosing,
    limitTime: createTimeLimit(options.handshakeTimeout, timers),
    findRoom: capacity.findRoom,
    tellTime: createTellTime(clock, options.interval),
    accept (ws, request, context) {
      // Ours to close: @fastify/websocket's preClose would do so without a code.
      app.websocketServer.clients?.delete(ws)
      guard.release(request.raw.socket)
      capacity.settle(request)
      const client = connections.accept(ws, request, context)
      // Other plugins may have kept it waiting after the last look.
      if (drain.started) drain.sendHome(client)
    }
  }))
  decorate(app, {
    clients: clients.byId,
    url,
    namespace: options.namespace,
    get lastTick () {
      return ticks.lastTick
    },
    now: clock.now,
    broadcast: createBroadcast({ clients, fanOut, isClosed: isClosing }),
    close: drain.start
  })
  drainOnClose(app, drain)
}
