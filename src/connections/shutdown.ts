import type { AsyncResource } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'
import type { Client } from './client.js'
import { closeWith } from './client-connection.js'
import type { Clients } from './client-registry.js'
import { closeAll } from './paced-close.js'
import { SHUTTING_DOWN } from './endings.js'
import { sharedState } from '../util/shared-state.js'
import type { Timers } from '../util/timers.js'

/** Closes every client when the server shuts down. */
export interface Shutdown {
  /** True once the shutdown has started: new clients are then refused. */
  readonly hasStarted: boolean
  /**
   * Starts the shutdown when called for the first time.
   *
   * @returns a promise, the same for every call. It resolves when the last client has disconnected:
   * at the latest when clients that did not answer have been terminated.
   */
  start (): Promise<void>
  /**
   * As `start`, but without a spread all close frames are sent before this returns, because the
   * code that closes the HTTP server may end the sockets next.
   */
  startAtOnce (): Promise<void>
  /** Closes one client with 1001, and terminates it if it has not disconnected after the grace. */
  close (client: Client<unknown>): void
}

/** How long the shutdown waits for terminated connections to end. */
const TERMINATION_MS = 250

export interface ShutdownOptions<Context> {
  clients: Clients<Context>
  timers: Timers
  /** The async context in which the shutdown runs. */
  scope: AsyncResource
  /** Milliseconds that each client has to answer its close frame. */
  graceMs: number
  /** Milliseconds over which the close frames are spread. */
  spreadMs: number
  delivery: ShutdownDelivery
  /** Resolves when `onClose` has settled for all clients that have disconnected. */
  whenCallbacksSettled: () => Promise<void>
}

/** The part of the delivery that a shutdown needs. */
export interface ShutdownDelivery {
  /** Drops all deliveries in progress: the remaining time is needed to close clients. */
  abandon (): void
  /** From now on, `broadcast` sends nothing, and returns 0. */
  refuseBroadcasts (): void
  /**
   * Ends broadcasting, and disconnects from the other servers. Called once the spread is over, or
   * no client is left.
   */
  close (): Promise<void>
}

export function createShutdown<Context> (options: ShutdownOptions<Context>): Shutdown {
  const { timers, scope, graceMs, spreadMs, delivery } = options
  let finished: Promise<void> | undefined

  function start (isPaced: boolean): Promise<void> {
    if (finished !== undefined) return finished
    // The application's `format` may start the shutdown again while the first client is being
    // closed. Both calls get the same promise.
    let settle: ((gone: Promise<void>) => void) | undefined
    finished = new Promise((resolve) => { settle = resolve })
    if (spreadMs === 0) delivery.refuseBroadcasts()
    scope.runInAsyncScope(() => settle?.(finish(options, isPaced)))
    return finished
  }

  return {
    get hasStarted () {
      return finished !== undefined
    },
    start: () => start(true),
    startAtOnce: () => start(spreadMs > 0),
    close (client) {
      closeWith(client, SHUTTING_DOWN)
      timers.after(graceMs, () => client.terminate())
    }
  }
}

/** The shutdowns of each HTTP server. */
const shutdownsOf = sharedState('shutdowns', () => new WeakMap<object, Shutdown[]>())

/**
 * Starts the shutdown, together with those of other registrations, when the application closes, or
 * when its HTTP server is closed directly.
 */
export function shutDownOnClose (app: FastifyInstance, shutdown: Shutdown): void {
  const others = shutdownsOf.get(app.server)
  if (others !== undefined) {
    others.push(shutdown)
    return
  }
  const shutdowns = [shutdown]
  shutdownsOf.set(app.server, shutdowns)
  // Added this late, the hook runs before all others when the application closes: before any
  // preClose hook that closes sockets without a code, or that fails.
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => { await Promise.all(shutdowns.map(({ start }) => start())) })
  })
  startOnServerClose(app.server, () => shutdowns.map(({ startAtOnce }) => startAtOnce()))
}

/**
 * Calls `start` before `server.close`, which waits for all connections and emits nothing until
 * then.
 */
function startOnServerClose (server: FastifyInstance['server'], start: () => unknown): void {
  const close = server.close.bind(server)
  server.close = (...args) => {
    start()
    return close(...args)
  }
}

async function finish<Context> (
  options: ShutdownOptions<Context>, isPaced: boolean
): Promise<void> {
  const { timers, spreadMs, delivery } = options
  const gone = closeClients(options, isPaced)
  const spreadOver = new Promise<void>((resolve) => { timers.after(spreadMs, resolve) })
  await Promise.all([gone, Promise.race([gone, spreadOver]).then(delivery.close)])
}

async function closeClients<Context> (
  options: ShutdownOptions<Context>, isPaced: boolean
): Promise<void> {
  const { clients, timers, graceMs, spreadMs, delivery, whenCallbacksSettled } = options
  await new Promise<void>((resolve) => {
    const cancel = closeAll({
      clients: [...clients.byId.values()],
      close: (client) => closeWith(client, SHUTTING_DOWN),
      terminate: (client) => client.terminate(),
      timers,
      graceMs,
      spreadMs,
      isPaced,
      onPacingSkipped: delivery.abandon,
      onEnd: resolve
    })
    clients.whenEmpty().then(whenCallbacksSettled).then(() => {
      cancel()
      resolve()
    })
  })
  // A client that connected while the shutdown was starting gets less than the full grace.
  for (const client of clients.byId.values()) client.terminate()
  // A terminated socket closes at once. If one does not, `server.close` waits for it.
  const waited = new Promise<void>((resolve) => { timers.after(TERMINATION_MS, resolve) })
  await Promise.race([clients.whenEmpty(), waited])
}
