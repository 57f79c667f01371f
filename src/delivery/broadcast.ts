import { assertKey, assertOptions, readAt } from './broadcast-options.js'
import type { Client } from '../connections/client.js'
import type { Clients } from '../connections/client-registry.js'
import type { Broadcast, Cancel, Recipients } from '../cluster/envelope.js'
import type { FanOut } from './fan-out.js'
import type { Log } from '../observability/log.js'
import { createOutgoing, readContent } from '../protocol/outgoing-message.js'
import type { Content, Outgoing } from '../protocol/outgoing-message.js'
import type { Observer } from '../observability/observer.js'
import { createCondition } from './recipients.js'
import type { Relay } from '../cluster/relay.js'
import { createScheduled } from './scheduled-broadcasts.js'
import type { Scheduled } from './scheduled-broadcasts.js'
import type { ServerClock } from '../time/server-time.js'
import type { Timers } from '../util/timers.js'
import type { BroadcastOptions } from '../api/time-socket.js'

/** Sends messages to many clients, now and later. */
export interface Broadcaster<Context> extends Pick<Scheduled<Context>, 'welcome'> {
  /** `TimeSocket.broadcast` as it is promised there. */
  broadcast (data: unknown, options?: BroadcastOptions<Context>): number
  /** `TimeSocket.cancel` as it is promised there. */
  cancel (key: string): boolean
  /**
   * Does what was done on another server.
   *
   * @throws {TooManyScheduledError | InvalidArgumentError} when it cannot be scheduled here.
   */
  receive (message: Broadcast | Cancel): void
  /** Nobody is to get anything any more: withdraws what is pending. */
  close (): void
}

export interface BroadcasterOptions<Context> {
  clients: Clients<Context>
  fanOut: FanOut<Context>
  clock: Pick<ServerClock, 'now'>
  timers: Timers
  observer: Observer<Context>
  /** To other servers; undefined where there are none. */
  relay: Pick<Relay, 'send'> | undefined
  log: Log
  /** Whether nobody is to get anything any more. */
  isClosed: () => boolean
}

export function createBroadcaster<Context> (
  { clients, fanOut, clock, timers, observer, relay, log, isClosed }: BroadcasterOptions<Context>
): Broadcaster<Context> {
  const scheduled = createScheduled({ clients, clock, timers, log, send })
  let hasEnded = false

  function send (
    { encode }: Pick<Outgoing, 'encode'>, recipients: readonly Client<Context>[]
  ): void {
    fanOut.start({
      recipients,
      encode,
      deliver (client, frame) { client.write(frame) },
      onEnd () {}
    })
  }

  function dispatch (
    content: Content, options: BroadcastOptions<Context>, at: number | undefined
  ): number {
    const { key } = options
    const message = createOutgoing(content, { at, key })
    const isChosen = createCondition(options)
    // Chosen before the first write: a filter that throws must find nothing sent.
    const recipients = [...clients.byId.values()]
      .filter((client) => client.isOpen && isChosen(client))
    if (at === undefined && key === undefined) send(message, recipients)
    else scheduled.put({ message, isChosen, at, key }, recipients)
    observer.broadcast(recipients.length)
    return recipients.length
  }

  return {
    broadcast (data, options = {}) {
      assertOptions(options)
      const at = readAt(options.at, clock.now)
      const content = readContent(data)
      if (hasEnded || isClosed()) return 0
      const count = dispatch(content, options, at)
      const { key, filter, local = false } = options
      if (filter === undefined && !local) {
        relay?.send({ type: 'broadcast', ...travelling(options), at, key, content })
      }
      return count
    },
    cancel (key) {
      assertKey(key, 'the key')
      if (!hasEnded) relay?.send({ type: 'cancel', key })
      return scheduled.cancel(key)
    },
    receive (message) {
      if (hasEnded || isClosed()) return
      if (message.type === 'cancel') scheduled.cancel(message.key)
      else dispatch(message.content, message, readAt(message.at, clock.now))
    },
    welcome: scheduled.welcome,
    close () {
      hasEnded = true
      scheduled.close()
    }
  }
}

/** Of who gets it, what means the same on every server. */
function travelling ({ where, except = [] }: BroadcastOptions<never>): Recipients {
  return { where, except: [except].flat() }
}
