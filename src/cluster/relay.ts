import { randomUUID } from 'node:crypto'
import type { Backplane } from '../api/backplane.js'
import { createBackplaneHealth } from './backplane-health.js'
import type { Broadcast, Cancel } from './envelope.js'
import { BackplaneClosedError } from '../api/errors.js'
import type { Log } from '../observability/log.js'
import { createPublisher } from './publisher.js'
import type { Publisher } from './publisher.js'
import { createReceiver } from './receiver.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneStats } from '../api/stats.js'

/** Tells the other servers what this one has told its clients, and hears what they have. */
export interface Relay extends Pick<Publisher, 'send'> {
  /**
   * Subscribes. Waits for the backplane, at most 2 s: then it goes on without, and tries again.
   *
   * @throws {BackplaneClosedError} when it has been closed already.
   */
  start (): Promise<void>
  /**
   * Lets go of the backplane, and closes it if nobody else has it. Takes 350 ms at most.
   *
   * @returns the same promise whenever called.
   */
  close (): Promise<void>
}

export interface RelayOptions {
  backplane: Backplane
  /** Names the time socket: the same on each server that has it. */
  registration: string
  counters: BackplaneStats
  timers: Timers
  /** The server's time. */
  now: () => number
  log: Log
  /** Takes a message of another server, as that of `createReceiver`. */
  receive: (message: Broadcast | Cancel) => void
}

/** Between two signs of life: the others know what they are missing within twice as long. */
const ALIVE_MS = 1000
const START_MS = 2000
/** How long the end waits for what is on its way, and then for the backplane to let go. */
const FLUSH_MS = 200
const LEAVE_MS = 150
const UNCONFIRMED = `it has confirmed nothing for ${ALIVE_MS} ms`

/** By how many time sockets of this process each backplane is used. */
const userCounts = new WeakMap<Backplane, number>()

export function createRelay (
  { backplane, registration, counters, timers, now, log, receive }: RelayOptions
): Relay {
  const identity = { registration, origin: randomUUID() }
  const health = createBackplaneHealth({ counters, timers, log })
  const publisher = createPublisher({
    backplane, identity, counters, health, timers, now
  })
  const { sendAlive: onNewcomer } = publisher
  const hear = createReceiver({ identity, counters, health, timers, now, onNewcomer, receive })
  let subscription: Promise<() => Promise<void>> | undefined
  let cancelRound: (() => void) | undefined
  let cancelLook: (() => void) | undefined
  let closed: Promise<void> | undefined

  /** @returns why it failed, if it did. */
  async function subscribe (): Promise<unknown> {
    try {
      const onError = (err: unknown) => health.failed('reading', err)
      subscription = Promise.resolve(backplane.subscribe(hear, onError))
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

  function round (): void {
    cancelRound = timers.after(ALIVE_MS, round)
    // After a stall, what has come meanwhile is read first.
    cancelLook = timers.soon(look)
  }

  function look (): void {
    if (subscription === undefined) subscribe()
    if (publisher.waitedMs >= ALIVE_MS) health.failed('publishing', new Error(UNCONFIRMED))
    publisher.sendAlive()
    health.look()
  }

  async function end (): Promise<void> {
    cancelRound?.()
    cancelLook?.()
    publisher.sendAlive()
    await withLimit(publisher.whenIdle(), FLUSH_MS, timers)
    const left = [leave(), subscription?.then((unsubscribe) => unsubscribe())]
    await withLimit(Promise.allSettled(left), LEAVE_MS, timers)
  }

  async function leave (): Promise<void> {
    const userCount = (userCounts.get(backplane) ?? 0) - (cancelRound === undefined ? 0 : 1)
    userCounts.set(backplane, userCount)
    if (userCount === 0) await backplane.close()
  }

  return {
    send: publisher.send,
    async start () {
      userCounts.set(backplane, (userCounts.get(backplane) ?? 0) + 1)
      cancelRound = timers.after(ALIVE_MS, round)
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
 * Resolves with what the promise does, which never rejects, or with undefined when that takes too
 * long. Keeps the process alive.
 */
function withLimit (promise: Promise<unknown>, limitMs: number, timers: Timers): Promise<unknown> {
  return new Promise((resolve) => {
    const cancel = timers.hold(limitMs, () => resolve(undefined))
    promise.then(resolve).finally(cancel)
  })
}
