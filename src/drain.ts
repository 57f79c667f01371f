import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Client } from './client.js'
import type { Clients } from './clients.js'
import { SHUTTING_DOWN } from './endings.js'

/** Sends every client home when the server shuts down. */
export interface Drain {
  /** Whether it has started: newcomers are to be refused. */
  readonly started: boolean
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

/** Who can be sent home: a client. */
type Leaver = Pick<Client<unknown>, 'end' | 'terminate'>

export interface DrainOptions<Context> {
  clients: Clients<Context>
  /** How long clients have to answer the close frame, and `onClose` to settle. */
  graceMs: number
  /** Resolves when `onClose` has settled for all who have gone. */
  whenTold: () => Promise<unknown>
}

export function createDrain<Context> (options: DrainOptions<Context>): Drain {
  let started = false
  let finished: Promise<void> | undefined
  return {
    get started () {
      return started
    },
    start () {
      // Before the first client is told: a format that is called meanwhile may start it, too.
      started = true
      finished ??= Promise.resolve().then(() => drain(options))
      return finished
    },
    sendHome (client) {
      client.end(SHUTTING_DOWN)
      setTimeout(() => client.terminate(), options.graceMs).unref()
    }
  }
}

/** The drains of each HTTP server. */
const drainsOf = new WeakMap<object, Drain[]>()

/** Starts it, together with those of other registrations, when the application closes. */
export function drainOnClose (app: FastifyInstance, drain: Drain): void {
  const others = drainsOf.get(app.server)
  if (others !== undefined) {
    others.push(drain)
    return
  }
  const drains = [drain]
  drainsOf.set(app.server, drains)
  // Added this late, it runs before all others when the application closes: before
  // any preClose hook that closes sockets without a code, or that fails.
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => {
      await Promise.all(drains.map(({ start }) => start()))
    })
  })
}

async function drain<Context> (
  { clients, graceMs, whenTold }: DrainOptions<Context>
): Promise<void> {
  for (const client of clients.byId.values()) client.end(SHUTTING_DOWN)
  // Not unref'd: a process that is shutting down waits for its clients.
  const grace = new AbortController()
  await Promise.race([
    clients.whenEmpty().then(whenTold),
    wait(graceMs, undefined, { signal: grace.signal }).catch(() => {})
  ])
  grace.abort()
  for (const client of clients.byId.values()) client.terminate()
  // A terminated socket closes at once; should one not, the server's own close tells.
  await Promise.race([clients.whenEmpty(), wait(TERMINATION_MS, undefined, { ref: false })])
}
