import { ServerClock } from '../../../src/browser/index.js'
import type { ServerClockOptions, ServerClockUrl } from '../../../src/browser/index.js'
import { createWorld } from './client-world.js'
import type { World, WorldOptions } from './client-world.js'
import { createTimeServer } from './time-server.js'
import type { TimeServer, TimeServerOptions } from './time-server.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

export interface ClockSetUp {
  readonly world: World
  readonly server: TimeServer
  readonly clock: ServerClock
  /** What the clock has fired, but for `tick` and `sync`, in order. */
  readonly events: [name: string, detail: unknown][]
  /** By how much `now()` is ahead of the server's clock. */
  ahead (): number
}

export interface ClockSetUpOptions {
  url?: ServerClockUrl
  world?: WorldOptions
  server?: TimeServerOptions
  clock?: ServerClockOptions
}

const EVENTS = ['open', 'close', 'message', 'step', 'refused'] as const

/** Makes a clock in a simulated world, for as long as the test lasts; nobody answers it yet. */
export async function setUpClock (
  t: Test, options: ClockSetUpOptions = {}
): Promise<ClockSetUp> {
  const world = createWorld(options.world)
  const server = createTimeServer(world, options.server)
  const environment = { ...world.environment, ...options.clock?.environment }
  const clock = new ServerClock(options.url, { ...options.clock, environment })
  t.teardown(() => clock.close())
  const events: ClockSetUp['events'] = []
  for (const name of EVENTS) {
    clock.addEventListener(name, ({ detail }) => { events.push([name, detail]) })
  }
  await world.advance(0)
  return { world, server, clock, events, ahead: () => clock.now() - server.now() }
}

/** The same, with a server that answers, after the first second. */
export async function setUpSynced (t: Test, options: ClockSetUpOptions = {}): Promise<ClockSetUp> {
  const setUp = await setUpClock(t, options)
  setUp.server.serve(setUp.world.peer)
  await setUp.world.advance(1000)
  setUp.events.length = 0
  return setUp
}

/**
 * By how much a total has increased within a minute, at most.
 *
 * @param totals one for each second.
 */
export function mostPerMinute (totals: readonly number[]): number {
  return Math.max(...totals.map((total, index) => total - (totals[index - 59] ?? 0)))
}
