import type { Filter, KeptClock, Sample, Surroundings } from './contender.js'
import { replaceGlobals } from './globals.js'

type Pong = (id: number, pingS: number, serverPingS: number, serverPongS: number) => void

/** Its client. Not a literal where it is imported: it need not be installed. */
export const IRCAM: string = '@ircam/sync/client/index.js'

/** What is used of @ircam/sync 2.1. Its times are seconds. */
interface SyncClient {
  pingId: number
  start (
    send: (id: number, pingS: number) => void,
    receive: (onPong: Pong) => void,
    report: (report: object) => void
  ): void
  stop (): void
  getSyncTime (localS?: number): number
}

type SyncClientClass = new (getTime: () => number) => SyncClient

/** Of `[id, ping]` and `[id, ping, ping, pong]` as JSON. */
const REQUEST_BYTES = 28
const REPLY_BYTES = 68

/** Ten pings, a quarter of a second apart, every 10 to 20 seconds. */
export async function startIrcam (surroundings: Surroundings): Promise<KeptClock> {
  replaceGlobals(surroundings)
  const { local, ask } = surroundings
  const SyncClient = await load()
  const client = new SyncClient(() => local() / 1000)
  let onPong: Pong = () => {}
  let isReady = false
  client.start((id) => {
    ask(REQUEST_BYTES, REPLY_BYTES, ({ t1, t2, t3 }) => onPong(id, t1 / 1000, t2 / 1000, t3 / 1000))
  }, (callback) => { onPong = callback }, () => { isReady = true })
  return { now: () => isReady ? 1000 * client.getSyncTime() : NaN, stop: () => client.stop() }
}

/** The same, given samples that it has not asked for. */
export async function createIrcamFilter (): Promise<Filter> {
  const SyncClient = await load()
  let sample: Sample | undefined
  let onPong: Pong = () => {}
  let isReady = false
  const client = new SyncClient(() => Number(sample?.t4) / 1000)
  client.start(() => {}, (callback) => { onPong = callback }, () => { isReady = true })
  return {
    add (next) {
      sample = next
      onPong(client.pingId, next.t1 / 1000, next.t2 / 1000, next.t3 / 1000)
      client.pingId++
    },
    offsetAt: (localMs) => isReady ? 1000 * client.getSyncTime(localMs / 1000) - localMs : NaN
  }
}

async function load (): Promise<SyncClientClass> {
  const module = await import(IRCAM) as { default: { default: SyncClientClass } | SyncClientClass }
  return 'default' in module.default ? module.default.default : module.default
}
