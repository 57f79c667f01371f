import type { FastifyInstance } from 'fastify'
import type { Clients } from './client-registry.js'
import { sayFarewell } from './paced-close.js'
import type { Leaver } from './paced-close.js'
import { SHUTTING_DOWN } from './endings.js'
import type { Timers } from '../util/timers.js'

/** Sends every client home when the server shuts down. */
export interface Drain {
  /** Whether it has started: newcomers are to be refused. */
  readonly started: boolean
  /** Whether the time to tell everybody is over: from its start where there is no spread. */
  readonly hasTold: boolean
  /**
   * Starts it, the first time it is called.
   *
   * @returns when the last client has gone, at the latest when those who did not
   * answer have been terminated; always the same promise.
   */
  start (): Promise<void>
  /** Closes one client with 1001, and terminates it if it has not gone after the grace. */
  sendHome (client: Leaver): void
}

/** How long the end of terminated connections is waited for. */
const TERMINATION_MS = 250

export interface DrainOptions<Context> {
  clients: Clients<Context>
  timers: Timers
  /** How long each client has to answer its close frame. */
  graceMs: number
  /** Over how long the close frames are spread. */
  spreadMs: number
  /** Gives up what is on its way to clients: there is only time left to tell them to go. */
  abandon: () => void
  /** Resolves when `onClose` has settled for all who have gone. Waited for while clients are. */
  whenTold: () => Promise<unknown>
  /** Ends what serves clients, once nobody is to get anything any more. */
  hangUp: () => Promise<unknown>
}

export function createDrain<Context> (options: DrainOptions<Context>): Drain {
  const { timers, graceMs, spreadMs } = options
  let startedMs = Infinity
  let finished: Promise<void> | undefined
  return {
    get started () {
      return startedMs < Infinity
    },
    get hasTold () {
      return timers.monotonic() - startedMs >= spreadMs
    },
    start () {
      startedMs = Math.min(startedMs, timers.monotonic())
      // Not yet: a format that is called when the first client is told may start it, too.
      finished ??= Promise.resolve().then(() => finish(options))
      return finished
    },
    sendHome (client) {
      client.end(SHUTTING_DOWN)
      timers.after(graceMs, () => client.terminate())
    }
  }
}

/** The drains of each HTTP server. */
const drainsOf = new WeakMap<object, Drain[]>()

/**
 * Starts it, together with those of other registrations, when the application closes, or
 * somebody closes its HTTP server.
 */
export function drainOnClose (app: FastifyInstance, drain: Drain): void {
  const others = drainsOf.get(app.server)
  if (others !== undefined) {
    others.push(drain)
    return
  }
  const drains = [drain]
  drainsOf.set(app.server, drains)
  const start = () => Promise.all(drains.map(({ start }) => start()))
  // Added this late, it runs before all others when the application closes: before
  // any preClose hook that closes sockets without a code, or that fails.
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => { await start() })
  })
  startOnServerClose(app.server, start)
}

/** Its `close` waits for all connections, and tells nobody: there is no event but at the end. */
function startOnServerClose (server: FastifyInstance['server'], start: () => unknown): void {
  const close = server.close.bind(server)
  server.close = (...args) => {
    start()
    return close(...args)
  }
}

async function finish<Context> (options: DrainOptions<Context>): Promise<void> {
  const { timers, spreadMs, hangUp } = options
  const drained = drain(options)
  const hasTold = new Promise<void>((resolve) => { timers.after(spreadMs, resolve) })
  await Promise.all([drained, Promise.race([drained, hasTold]).then(hangUp)])
}

async function drain<Context> (
  { clients, timers, graceMs, spreadMs, abandon, whenTold }: DrainOptions<Context>
): Promise<void> {
  const leavers = [...clients.byId.values()]
  await new Promise<void>((resolve) => {
    const callOff = sayFarewell({
      leavers, timers, graceMs, spreadMs, onHurry: abandon, onEnd: resolve
    })
    clients.whenEmpty().then(whenTold).then(() => {
      callOff()
      resolve()
    })
  })
  // Who came after the last look at whether it had started has less than the grace.
  for (const client of clients.byId.values()) client.terminate()
  // A terminated socket closes at once; should one not, the server's own close tells.
  const waited = new Promise<void>((resolve) => { timers.after(TERMINATION_MS, resolve) })
  await Promise.race([clients.whenEmpty(), waited])
}
