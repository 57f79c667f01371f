import { createAgenda } from './agenda.js'
import type { Due } from './agenda.js'
import { TooManyScheduledError } from '../api/errors.js'
import { everyClient } from './broadcast-options.js'
import type { Condition } from './broadcast-options.js'
import type { Client } from '../connections/client.js'
import {
  deliverFrame, isOpen, wireFormatOf, writeTogether
} from '../connections/client-connection.js'
import type { Clients } from '../connections/client-registry.js'
import { createFailureLog } from '../observability/failure-log.js'
import type { Log } from '../observability/log.js'
import { encodeFrame } from '../protocol/frame.js'
import type { Outgoing } from '../protocol/outgoing-message.js'
import { cancelText } from '../protocol/time-v1-text.js'
import type { WallClock } from '../time/wall-clock.js'
import type { Timers } from '../util/timers.js'

/** A broadcast that takes effect now or later. */
export interface BroadcastPlan<Context> {
  /** Carries `at` and `key` in `time.v1`. */
  readonly message: Outgoing
  readonly isChosen: Condition<Context>
  /** When the broadcast takes effect: milliseconds since the Unix epoch; undefined for at once. */
  readonly at: number | undefined
  /** The broadcast replaces the pending broadcast with the same key. */
  readonly key: string | undefined
}

/**
 * Broadcasts that take effect now or later. Clients of `time.v1` get those for later at once, and
 * fire them when they are due. All other clients, and all clients if the message is bytes, get them
 * when they are due.
 *
 * The timer is late after a stall or a clock step. Whatever is overdue then is sent before anything
 * else happens here. Only a `filter` that itself broadcasts can change the order, and only for
 * clients that are joining; while its own broadcast is overdue, it is then asked again.
 *
 * Connected clients are checked at the call. A client that joins later is checked when its
 * `onConnect` returns, or earlier if the broadcast takes effect during `onConnect`.
 */
export interface ScheduledBroadcasts<Context> {
  /**
   * Sends a broadcast, or schedules it if it is not due. Withdraws the broadcast that it replaces.
   *
   * @param recipients the connected clients that are chosen.
   * @throws {TooManyScheduledError} if 1000 broadcasts are pending. Nothing has been sent then.
   */
  sendOrSchedule (plan: BroadcastPlan<Context>, recipients: readonly Client<Context>[]): void
  /**
   * Withdraws the pending broadcast with this key.
   *
   * @returns true if there was such a broadcast.
   */
  cancel (key: string): boolean
  /**
   * Connects a client, then decides which of the pending broadcasts it gets, and sends those that
   * clients of its protocol get early.
   *
   * @param connect lists the client, and calls `onConnect`.
   */
  welcome (client: Client<Context>, connect: () => void): void
  /** Discards all pending broadcasts without notifying clients, and logs their number. */
  close (): void
}

export interface ScheduledBroadcastsOptions<Context> {
  clients: Clients<Context>
  clock: Pick<WallClock, 'now'>
  timers: Timers
  log: Log
  /** Sends a message to these clients now, after everything that was sent before. */
  send: (message: Pick<Outgoing, 'encode'>, recipients: readonly Client<Context>[]) => void
}

/** The maximum number of pending broadcasts. */
const MAX_SCHEDULED = 1000

export function createScheduledBroadcasts<Context> (
  { clients, clock, timers, log, send }: ScheduledBroadcastsOptions<Context>
): ScheduledBroadcasts<Context> {
  const agenda = createAgenda<Entry<Context>>({ now: clock.now, timers, onDue: fire })
  const failureLog = createFailureLog(log, 'the filter of a scheduled broadcast', timers)
  /** Clients that are joining, each with the broadcasts that have not been decided for it. */
  const joining = new Map<Client<Context>, Set<Entry<Context>>>()

  function fire (entry: Entry<Context>): void {
    const { message } = entry
    send(message, clients.openClients((client) =>
      !isSentEarly(client, message) && isRecipient(entry, client)))
    // After the other clients: a filter may send a broadcast, which must not reach them first.
    for (const [client, undecided] of joining) {
      const isWaiting = undecided.delete(entry) && isOpen(client)
      if (isWaiting && chooses(entry, client)) send(message, [client])
    }
  }

  function isRecipient (entry: Entry<Context>, client: Client<Context>): boolean {
    return entry.chosen.has(client) && joining.get(client)?.has(entry) !== true
  }

  function find (key: string | undefined): Entry<Context> | undefined {
    if (key === undefined) return undefined
    for (const entry of agenda) if (entry.key === key) return entry
    return undefined
  }

  /** @param replacing clients that get another broadcast with the same key instead. */
  function withdraw (
    entry: Entry<Context>, key: string, replacing: ReadonlySet<Client<Context>> = new Set()
  ): void {
    agenda.delete(entry)
    const frame = encodeFrame(cancelText(key))
    send({ encode: () => frame }, clients.openClients((client) =>
      isSentEarly(client, entry.message) && !replacing.has(client) && isRecipient(entry, client)))
    for (const undecided of joining.values()) undecided.delete(entry)
  }

  function chooses ({ isChosen }: Entry<Context>, client: Client<Context>): boolean {
    try {
      return isChosen(client)
    } catch (err) {
      failureLog.failed(err, { id: client.id })
      return false
    }
  }

  function decide (client: Client<Context>, undecided: Set<Entry<Context>>): void {
    for (const entry of undecided) {
      const isChosen = chooses(entry, client)
      // The filter may have cancelled this broadcast, or sent another one, which sends this one
      // first if it is overdue.
      const isPending = undecided.delete(entry)
      if (!isPending || !isChosen) continue
      entry.chosen.add(client)
      if (isSentEarly(client, entry.message)) {
        deliverFrame(client, entry.message.encode(wireFormatOf(client)))
      }
    }
  }

  return {
    sendOrSchedule ({ message, isChosen, at, key }, recipients) {
      if (at === undefined && agenda.size === 0) return send(message, recipients)
      const nowMs = clock.now()
      agenda.fireDue(nowMs)
      const isDue = at === undefined || at <= nowMs
      const replaced = find(key)
      if (replaced === undefined) {
        if (isDue) return send(message, recipients)
        if (agenda.size >= MAX_SCHEDULED) throw new TooManyScheduledError()
      }
      const early = recipients.filter((client) => isSentEarly(client, message))
      if (key !== undefined && replaced !== undefined) withdraw(replaced, key, new Set(early))
      if (isDue) return send(message, recipients)
      const chosen = isChosen === everyClient ? EVERY_CLIENT : new WeakSet(recipients)
      agenda.add({ atMs: at, key, message, isChosen, chosen })
      send(message, early)
    },
    cancel (key) {
      agenda.fireDue(clock.now())
      const entry = find(key)
      if (entry !== undefined) withdraw(entry, key)
      return entry !== undefined
    },
    welcome (client, connect) {
      if (agenda.size === 0) return connect()
      agenda.fireDue(clock.now())
      const undecided = new Set(agenda)
      joining.set(client, undecided)
      try {
        connect()
        // In one write: a thousand writes would cost 8 ms of CPU for a single upgrade.
        if (isOpen(client)) writeTogether(client, () => decide(client, undecided))
      } finally {
        joining.delete(client)
      }
    },
    close () {
      if (agenda.size > 0) log.warn({ count: agenda.size }, 'scheduled broadcasts withdrawn')
      agenda.clear()
    }
  }
}

interface Entry<Context> extends Due {
  readonly key: string | undefined
  readonly message: Outgoing
  readonly isChosen: Condition<Context>
  readonly chosen: Chosen<Context>
}

/** The clients that get the broadcast, or have got it. */
interface Chosen<Context> {
  has (client: Client<Context>): boolean
  add (client: Client<Context>): void
}

/** Contains every client, and stores nothing. */
const EVERY_CLIENT: Chosen<unknown> = { has: () => true, add () {} }

/** True if the client gets the message before it takes effect. Bytes cannot carry a time. */
function isSentEarly<Context> (client: Client<Context>, { binary }: Outgoing): boolean {
  return wireFormatOf(client) === 'time' && !binary
}
