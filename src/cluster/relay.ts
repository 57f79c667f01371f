import { randomUUID } from 'node:crypto'
import type { Backplane } from '../api/backplane.js'
import { BackplaneClosedError } from '../api/errors.js'
import type { BackplaneStats } from '../api/stats.js'
import type { Log } from '../observability/log.js'
import type { Timers } from '../util/timers.js'
import { createBackplaneHealth } from './backplane-health.js'
import type { Broadcast, Cancel } from './envelope.js'
import { createPublisher } from './publisher.js'
import type { Publisher } from './publisher.js'
import { createReceiver } from './receiver.js'
import { createFormatChoice } from './format-choice.js'

/** Carries this server's broadcasts to the other servers, and theirs to this one. */
export interface Relay extends Pick<Publisher, 'send'> {
  /**
   * Subscribes. Waits at most 2 s for the backplane, then continues without it and tries again
   * later.
   *
   * @throws {BackplaneClosedError} if the backplane has already been closed.
   */
  start (): Promise<void>
  /**
   * Ends the subscription, and closes the backplane if no other time socket uses it. Takes 350 ms
   * at most.
   *
   * @returns a promise, the same for every call.
   */
  close (): Promise<void>
}

export interface RelayOptions {
  backplane: Backplane
  /** Identifies the time socket: the same on every server that registers it. */
  registration: string
  counters: BackplaneStats
  timers: Timers
  /** The server's time. */
  now: () => number
  log: Log
  /** Called with each message of another server, as in `createReceiver`. */
  receive: (message: Broadcast | Cancel) => void
}

/**
 * Milliseconds between two alive messages. A loss of the latest messages is counted within twice
 * this time.
 */
const ALIVE_MS = 1000
const START_MS = 2000
/** How long `close` waits for unconfirmed messages, and then for the backplane to close. */
const FLUSH_MS = 200
const LEAVE_MS = 150
const UNCONFIRMED = `the backplane has confirmed nothing for ${ALIVE_MS} ms`

/** The number of time sockets in this process that use each backplane. */
const userCounts = new WeakMap<Backplane, number>()

export function createRelay (
  { backplane, registration, counters, timers, now, log, receive }: RelayOptions
): Relay {
  const identity = { registration, peer: randomUUID() }
  const health = createBackplaneHealth({ counters, timers, log })
  const format = createFormatChoice(timers)
  const shared = { identity, format, counters, health, timers, now }
  const publisher = createPublisher({ ...shared, backplane })
  const deliver = createReceiver({ ...shared, onNewPeer: publisher.sendAlive, receive })
  let subscription: Promise<() => Promise<void>> | undefined
  let cancelRound: (() => void) | undefined
  let cancelChecks: (() => void) | undefined
  let closed: Promise<void> | undefined

  /** @returns the error if the subscription failed. */
  async function subscribe (): Promise<unknown> {
    try {
      const onError = (err: unknown) => health.failed('reading', err)
      subscription = Promise.resolve(backplane.subscribe(deliver, onError))
      await subscription
      health.worked('reading')
      publisher.sendAlive()
      return undefined
    } catch (err) {
      subscription = undefined
      health.failed('reading', err)
      return err
    }
  }

  function startRound (): void {
    cancelRound = timers.after(ALIVE_MS, startRound)
    // After an event loop stall, the messages that arrived during the stall are read first.
    cancelChecks = timers.soon(runChecks)
  }

  function runChecks (): void {
    if (subscription === undefined) subscribe()
    if (publisher.waitedMs >= ALIVE_MS) health.failed('publishing', new Error(UNCONFIRMED))
    publisher.sendAlive()
    health.logChanges()
  }

  async function end (): Promise<void> {
    cancelRound?.()
    cancelChecks?.()
    publisher.sendAlive()
    await withLimit(publisher.whenIdle(), FLUSH_MS, timers)
    const left = [closeIfUnused(), subscription?.then((unsubscribe) => unsubscribe())]
    await withLimit(Promise.allSettled(left), LEAVE_MS, timers)
  }

  async function closeIfUnused (): Promise<void> {
    const userCount = (userCounts.get(backplane) ?? 0) - (cancelRound === undefined ? 0 : 1)
    userCounts.set(backplane, userCount)
    if (userCount === 0) await backplane.close()
  }

  return {
    send: publisher.send,
    async start () {
      userCounts.set(backplane, (userCounts.get(backplane) ?? 0) + 1)
      cancelRound = timers.after(ALIVE_MS, startRound)
      const err = await withLimit(subscribe(), START_MS, timers)
      if (err instanceof BackplaneClosedError) throw err
    },
    close () {
      closed ??= end()
      return closed
    }
  }
}

/**
 * Resolves with the result of `promise`, which must never reject, or with undefined after
 * `limitMs`. Keeps the process alive until then.
 */
function withLimit (promise: Promise<unknown>, limitMs: number, timers: Timers): Promise<unknown> {
  return new Promise((resolve) => {
    const cancel = timers.afterKeepingAlive(limitMs, () => resolve(undefined))
    promise.then(resolve).finally(cancel)
  })
}
