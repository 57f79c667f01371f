import { channel } from 'node:diagnostics_channel'
import { createLateness } from './lateness.js'
import type { BackplaneStats, RefusalCause, Stats } from '../api/stats.js'
import type { Tick } from '../api/content.js'
import type { Timers } from '../util/timers.js'
import type { CloseInfo, TickDelivery, TimeSocket, TimeSocketClient } from '../api/time-socket.js'

/** The counters of `stats()`. They only increase. */
export type Counters = Pick<
  Stats, 'accepted' | 'refused' | 'http' | 'closed' | 'ticks' | 'frames' | 'bytes' | 'messages' | 'backplane'
>

/** Counts what happens for `stats()`, and publishes it on `node:diagnostics_channel`. */
export interface Telemetry<Context> {
  /** Callers may increase these directly where a method call would cost too much. */
  readonly counters: Counters
  /** The counters of messages to and from other servers. Callers increase these directly. */
  readonly backplane: BackplaneStats
  /** Returns a copy of all counters, completed with `others`. */
  read (others: Pick<Stats, 'clients' | 'clockSteps'>): Stats
  /** Sets the time socket that each published message contains. */
  publishFor (timeSocket: TimeSocket<Context>): void
  connected (client: TimeSocketClient<Context>): void
  closed (client: TimeSocketClient<Context>, info: CloseInfo): void
  /** Must be called when a tick has been sent to all its recipients. */
  ticked (tick: Tick, delivery: TickDelivery): void
  broadcast (count: number): void
  /**
   * Must be called when an upgrade has been refused. `code` is the code of the error; undefined if
   * there was none: a hook answered, the client left, or ws rejected the handshake.
   */
  refused (cause: RefusalCause, code: string | undefined): void
}

const CHANNELS = {
  connect: channel('fastify-time-socket:connect'),
  close: channel('fastify-time-socket:close'),
  tick: channel('fastify-time-socket:tick'),
  broadcast: channel('fastify-time-socket:broadcast'),
  refuse: channel('fastify-time-socket:refuse')
}

/** @param hasBackplane true if there are other servers: `stats()` then contains their counters. */
export function createTelemetry<Context> (
  timers: Timers, hasBackplane: boolean = false
): Telemetry<Context> {
  const backplane = createBackplaneCounters()
  const counters = { ...createCounters(), ...(hasBackplane ? { backplane } : {}) }
  const lateness = createLateness(timers)
  let timeSocket: TimeSocket<Context> | undefined

  /** Publishes an event. Costs next to nothing while the channel has no subscribers. */
  function publish (name: keyof typeof CHANNELS, fields: object): void {
    if (CHANNELS[name].hasSubscribers) CHANNELS[name].publish({ timeSocket, ...fields })
  }

  return {
    counters,
    backplane,
    read: ({ clients, clockSteps }) => ({
      clients,
      ...structuredClone(counters),
      lateness: lateness.read(),
      clockSteps
    }),
    publishFor (published) {
      timeSocket = published
    },
    connected (client) {
      counters.accepted++
      publish('connect', { client })
    },
    closed (client, { code, cause }) {
      counters.closed[cause]++
      publish('close', { client, cause, code })
    },
    ticked (tick, { delivered, skipped }) {
      counters.ticks.sent++
      counters.frames.skipped += skipped
      lateness.record(tick.sent - tick.at)
      publish('tick', { tick, count: delivered })
    },
    broadcast: (count) => publish('broadcast', { count }),
    refused (cause, code) {
      counters.refused[cause]++
      publish('refuse', { cause, code })
    }
  }
}

function createBackplaneCounters (): BackplaneStats {
  return { published: 0, received: 0, lost: 0, duplicate: 0, stale: 0, invalid: 0, errors: 0 }
}

function createCounters (): Counters {
  return {
    accepted: 0,
    refused: {
      origin: 0,
      capacity: 0,
      capacityPerIp: 0,
      hook: 0,
      expired: 0,
      protocol: 0,
      timeout: 0,
      closing: 0,
      aborted: 0
    },
    http: { answered: 0, refused: 0 },
    closed: {
      client: 0,
      application: 0,
      shutdown: 0,
      slow: 0,
      heartbeat: 0,
      expired: 0,
      rate: 0,
      size: 0,
      protocol: 0,
      callback: 0,
      network: 0
    },
    ticks: { sent: 0, missed: 0, failed: 0 },
    frames: { sent: 0, skipped: 0 },
    bytes: { sent: 0 },
    messages: { received: 0, ignored: 0 }
  }
}
