import { createAgenda } from './agenda.js'
import type { Due } from './agenda.js'
import type { Client } from '../connections/client.js'
import type { Clients } from '../connections/client-registry.js'
import { TooManyScheduledError } from '../api/errors.js'
import { createCallbackFault } from '../observability/failure-log.js'
import { encodeFrame } from '../protocol/frame.js'
import type { Log } from '../observability/log.js'
import type { Outgoing } from '../protocol/outgoing-message.js'
import { everybody } from './recipients.js'
import type { Condition } from './recipients.js'
import type { ServerClock } from '../time/server-time.js'
import { cancelText } from '../protocol/time-v1-text.js'
import type { Timers } from '../util/timers.js'

/** A message for all whom the condition holds for, as it was made. */
export interface Plan<Context> {
  /** With `at` and `key` in the form of `time.v1`. */
  readonly message: Outgoing
  readonly isChosen: Condition<Context>
  /** When it takes effect: milliseconds since the Unix epoch; undefined: at once. */
  readonly at: number | undefined
  /** Replaces the pending one with the same key. */
  readonly key: string | undefined
}

/**
 * Broadcasts that take effect later. Clients of `time.v1` get them early, and fire them when it is
 * time; all others, and all clients where it is bytes, get them when it is time.
 *
 * Whether a client is chosen is decided once: at the call, or when it joins.
 */
export interface Scheduled<Context> {
  /**
   * @param recipients those who are connected and chosen.
   * @throws {TooManyScheduledError} when too many are pending; nothing has been sent then.
   */
  put (plan: Plan<Context>, recipients: readonly Client<Context>[]): void
  /** Withdraws the pending one with this key. @returns whether there was one. */
  cancel (key: string): boolean
  /**
   * To be called before a client is listed. @returns what to call once the application has been
   * told of it: lets it have what was pending before, but nothing that it has already.
   */
  welcome (): (client: Client<Context>) => void
  /** Withdraws all without a word to clients, and says in the log how many there were. */
  close (): void
}

export interface ScheduledOptions<Context> {
  clients: Clients<Context>
  clock: Pick<ServerClock, 'now'>
  timers: Timers
  log: Log
  /** Sends them something now, after all that was sent before. */
  send: (message: Pick<Outgoing, 'encode'>, recipients: readonly Client<Context>[]) => void
}

/** How many may be pending. */
const MAX_SCHEDULED = 1000

export function createScheduled<Context> (
  { clients, clock, timers, log, send }: ScheduledOptions<Context>
): Scheduled<Context> {
  const agenda = createAgenda<Entry<Context>>({ now: clock.now, timers, onDue: fire })
  const fault = createCallbackFault(log, 'the filter of a scheduled broadcast', timers)
  let entryCount = 0

  function fire ({ message, chosen }: Entry<Context>): void {
    send(message, present().filter((client) => chosen.has(client) && !isEarly(client, message)))
  }

  function present (): Client<Context>[] {
    return [...clients.byId.values()].filter(({ isOpen }) => isOpen)
  }

  function find (key: string | undefined): Entry<Context> | undefined {
    return key === undefined ? undefined : [...agenda].find((entry) => entry.key === key)
  }

  /** @param replacing those who get another one with the same key instead. */
  function withdraw (
    entry: Entry<Context>, key: string, replacing: ReadonlySet<Client<Context>> = new Set()
  ): void {
    agenda.delete(entry)
    const frame = encodeFrame(cancelText(key))
    send({ encode: () => frame }, present().filter((client) =>
      isEarly(client, entry.message) && entry.chosen.has(client) && !replacing.has(client)))
  }

  function chooses ({ isChosen }: Entry<Context>, client: Client<Context>): boolean {
    try {
      return isChosen(client)
    } catch (err) {
      fault.occurred(err, { id: client.id })
      return false
    }
  }

  return {
    put ({ message, isChosen, at, key }, recipients) {
      const isDue = at === undefined || at <= clock.now()
      const replaced = find(key)
      if (!isDue && replaced === undefined && agenda.size >= MAX_SCHEDULED) {
        throw new TooManyScheduledError()
      }
      const early = recipients.filter((client) => isEarly(client, message))
      if (key !== undefined && replaced !== undefined) withdraw(replaced, key, new Set(early))
      if (isDue) return send(message, recipients)
      const chosen = isChosen === everybody ? EVERYBODY : new WeakSet(recipients)
      agenda.add({ number: ++entryCount, atMs: at, key, message, isChosen, chosen })
      send(message, early)
    },
    cancel (key) {
      const entry = find(key)
      if (entry !== undefined) withdraw(entry, key)
      return entry !== undefined
    },
    welcome () {
      const latest = entryCount
      return (client) => {
        for (const entry of agenda) {
          // A filter may cancel what it is asked about.
          const isKnown = entry.number > latest || !chooses(entry, client) || !agenda.has(entry)
          if (isKnown) continue
          entry.chosen.add(client)
          if (isEarly(client, entry.message)) client.deliver(entry.message.encode(client.form))
        }
      }
    },
    close () {
      if (agenda.size > 0) log.warn({ count: agenda.size }, 'scheduled broadcasts withdrawn')
      agenda.clear()
    }
  }
}

interface Entry<Context> extends Due {
  /** Goes up from one to the next. */
  readonly number: number
  readonly key: string | undefined
  readonly message: Outgoing
  readonly isChosen: Condition<Context>
  readonly chosen: Chosen<Context>
}

/** Who is to have it, or has it. */
interface Chosen<Context> {
  has (client: Client<Context>): boolean
  add (client: Client<Context>): void
}

/** Keeps nothing of anybody. */
const EVERYBODY: Chosen<unknown> = { has: () => true, add () {} }

/** Whether it is sent before it takes effect. Bytes carry no time. */
function isEarly<Context> ({ form }: Client<Context>, { binary }: Outgoing): boolean {
  return form === 'time' && !binary
}
