import type { Backplane } from '../api/backplane.js'
import type { BackplaneHealth } from './backplane-health.js'
import { encodeEnvelope } from './envelope.js'
import type { Broadcast, Cancel, Envelope, Identity } from './envelope.js'
import type { Timers } from '../util/timers.js'
import type { BackplaneStats } from '../api/stats.js'

/** Tells the other servers. */
export interface Publisher {
  /** Publishes a message, whether or not the backplane works. Never throws. */
  send (message: Message): void
  /** Publishes a sign of life, which names the latest message. */
  sendAlive (): void
  /** For how many milliseconds the latest sign of life has waited for the backplane; 0: not. */
  readonly waitedMs: number
  /** Resolves when everything sent so far has been published or given up. */
  whenIdle (): Promise<unknown>
}

/** A message without what the publisher adds. */
export type Message = WithoutSender<Broadcast> | WithoutSender<Cancel>

type WithoutSender<Type> = Omit<Type, keyof Identity | 'seq' | 'sent'>

export interface PublisherOptions {
  backplane: Backplane
  identity: Identity
  counters: BackplaneStats
  health: BackplaneHealth
  timers: Timers
  /** The server's time. */
  now: () => number
}

export function createPublisher (
  { backplane, identity, counters, health, timers, now }: PublisherOptions
): Publisher {
  const pending = new Set<Promise<void>>()
  let seq = 0
  /** When the sign of life was sent that is on its way. */
  let aliveMs: number | undefined

  async function publish (envelope: Envelope): Promise<void> {
    try {
      await backplane.publish(encodeEnvelope(envelope))
      health.worked('publishing')
    } catch (err) {
      health.failed('publishing', err)
    }
  }

  async function track (publishing: Promise<void>): Promise<void> {
    pending.add(publishing)
    await publishing
    pending.delete(publishing)
  }

  return {
    send (message) {
      counters.published++
      const envelope = { ...message, ...identity, seq: ++seq, sent: now() }
      track(publish(envelope as Broadcast | Cancel))
    },
    sendAlive () {
      // While the backplane is away, more than one would say nothing new.
      if (aliveMs !== undefined) return
      aliveMs = timers.monotonic()
      track(publish({ type: 'alive', ...identity, seq }).then(() => { aliveMs = undefined }))
    },
    get waitedMs () {
      return aliveMs === undefined ? 0 : timers.monotonic() - aliveMs
    },
    whenIdle: () => Promise.all(pending)
  }
}
