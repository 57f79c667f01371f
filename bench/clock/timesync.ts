import type { KeptClock, Surroundings } from './contender.js'
import { replaceGlobals } from './globals.js'

/** Its build for browsers: that for Node misses a dependency. */
export const TIMESYNC: string = 'timesync/dist/timesync.min.js'

/** What is used of timesync 1.0. */
interface Timesync {
  create (options: object): {
    now (): number
    send: (to: string, message: { id: string }) => Promise<void>
    receive (from: string, message: object): void
    on (event: string, callback: () => void): void
    destroy (): void
  }
}

const EVERY_MS = 60_000
/** Of its JSON-RPC messages. */
const REQUEST_BYTES = 55
const REPLY_BYTES = 52

/** Asks five times, a second apart, every minute. It may be given a clock: the monotonic one. */
export async function startTimesync (surroundings: Surroundings): Promise<KeptClock> {
  replaceGlobals(surroundings)
  // What it looks for promises in.
  Object.assign(globalThis, { window: globalThis })
  const { local, ask } = surroundings
  const { default: timesync } = await import(TIMESYNC) as { default: Timesync }
  let hasChanged = false
  const peer = timesync.create({ peers: 'server', interval: EVERY_MS, now: local })
  peer.on('change', () => { hasChanged = true })
  peer.send = async (to, { id }) => {
    ask(REQUEST_BYTES, REPLY_BYTES, ({ t3 }) => peer.receive(to, { id, result: t3 }))
  }
  return { now: () => hasChanged ? peer.now() : NaN, stop: peer.destroy }
}
