import type { BroadcastOptions } from '../api/time-socket.js'
import { assertKey, createCondition, readAt, readBroadcastOptions } from './broadcast-options.js'
import type { Broadcast, Cancel, Recipients } from '../cluster/envelope.js'
import type { Relay } from '../cluster/relay.js'
import type { Client } from '../connections/client.js'
import { writeFrame } from '../connections/client-connection.js'
import type { Clients } from '../connections/client-registry.js'
import type { FanOut } from './fan-out.js'
import { createFailureLog } from '../observability/failure-log.js'
import type { Log } from '../observability/log.js'
import type { Telemetry } from '../observability/telemetry.js'
import { createOutgoing, readContent } from '../protocol/outgoing-message.js'
import type { Content, Outgoing } from '../protocol/outgoing-message.js'
import { createScheduledBroadcasts } from './scheduled-broadcasts.js'
import type { ScheduledBroadcasts } from './scheduled-broadcasts.js'
import type { WallClock } from '../time/wall-clock.js'
import type { Timers } from '../util/timers.js'

/** Sends messages to many clients, now and later, on this server and the others. */
export interface Broadcaster<Context> extends Pick<ScheduledBroadcasts<Context>, 'welcome'> {
  /** As `TimeSocket.broadcast` promises. */
  broadcast (data: unknown, options?: BroadcastOptions<Context>): number
  /** As `TimeSocket.cancel` promises. */
  cancel (key: string): boolean
  /** Connects to the other servers, if there are any. Waits 2 s at most. */
  open (): Promise<void>
  /** From now on `broadcast` sends nothing, and returns 0. */
  refuse (): void
  /** Refuses further broadcasts, discards pending ones, and disconnects from the other servers. */
  close (): Promise<void>
}

/**
 * Applies a broadcast or a cancel of another server.
 *
 * @throws {TooManyScheduledError | InvalidArgumentError} if the broadcast cannot be scheduled here.
 */
export type Receive = (message: Broadcast | Cancel) => void

export interface BroadcasterOptions<Context> {
  clients: Clients<Context>
  fanOut: FanOut
  clock: Pick<WallClock, 'now'>
  timers: Timers
  telemetry: Telemetry<Context>
  /** Undefined if there is no backplane. */
  createRelay: ((receive: Receive) => Relay) | undefined
  log: Log
}

/** By how much the clock of another server, which has checked `at`, may be ahead. */
const PEER_CLOCK_ERROR_MS = 60_000

export function createBroadcaster<Context> (
  { clients, fanOut, clock, timers, telemetry, createRelay, log }: BroadcasterOptions<Context>
): Broadcaster<Context> {
  const scheduled = createScheduledBroadcasts({ clients, clock, timers, log, send })
  const contextLog = createFailureLog(log, 'reading the context of a client', timers)
  const relay = createRelay?.(receive)
  let isRefusing = false
  let isClosed = false

  function send (
    { encode }: Pick<Outgoing, 'encode'>, recipients: readonly Client<Context>[]
  ): void {
    fanOut.start({ recipients, encode, write: writeFrame, onEnd () {} })
  }

  function dispatch (
    content: Content, options: BroadcastOptions<Context>, at: number | undefined
  ): number {
    const { key } = options
    const message = createOutgoing(content, { at, key })
    const isChosen = createCondition(options, contextLog)
    // Chosen before the first write: if a filter throws, nothing has been sent.
    const recipients = clients.openClients(isChosen)
    scheduled.sendOrSchedule({ message, isChosen, at, key }, recipients)
    telemetry.broadcast(recipients.length)
    return recipients.length
  }

  function receive (message: Broadcast | Cancel): void {
    if (isRefusing) return
    if (message.type === 'cancel') scheduled.cancel(message.key)
    else {
      const { where, except, at, key, content } = message
      const options = { where, except, key } as BroadcastOptions<Context>
      dispatch(content, options, readAt(at, clock.now, PEER_CLOCK_ERROR_MS))
    }
  }

  return {
    broadcast (data, given = {}) {
      const options = readBroadcastOptions<Context>(given)
      const at = readAt(options.at, clock.now)
      const content = readContent(data)
      if (isRefusing) return 0
      const count = dispatch(content, options, at)
      const { key, filter, local = false } = options
      if (filter === undefined && !local) {
        relay?.send({ type: 'broadcast', ...portable(options), at, key, content })
      }
      return count
    },
    cancel (key) {
      assertKey(key, 'the key')
      if (!isClosed) relay?.send({ type: 'cancel', key })
      return scheduled.cancel(key)
    },
    welcome: scheduled.welcome,
    async open () {
      await relay?.start()
    },
    refuse () {
      isRefusing = true
    },
    async close () {
      isRefusing = true
      isClosed = true
      scheduled.close()
      await relay?.close()
    }
  }
}

/** The conditions that mean the same on every server. */
function portable<Context> ({ where, except = [] }: BroadcastOptions<Context>): Recipients {
  return { where: where as Recipients['where'], except: [except].flat() }
}
