import { setTimeout as sleep } from 'node:timers/promises'
import { createDelayingProxy } from '../network/delaying-proxy.js'
import { waitFor } from '../network/wait.js'
import { startCrowd } from './crowd-process.js'
import type { CrowdProcess, CrowdReport } from './crowd-process.js'
import { startServer } from './server-process.js'
import type { ServerKind, ServerProcess, Span, Test } from './server-process.js'

export interface LivenessOptions {
  kind: ServerKind
  /** How many clients are cut off without a word, and how many are there all the time. */
  halfOpen: number
  live: number
  heartbeat: { interval: number, timeout: number }
  /** Milliseconds between two ticks. */
  interval: number
  /** How long the event loop is blocked, each time. */
  stallsMs: readonly number[]
  /** How long the server's process is stopped, each time. */
  stopsMs: readonly number[]
}

/** What came of it. */
export interface LivenessReport {
  /** How long the half-open clients took to go; undefined if much longer than they should. */
  readonly goneMs: number | undefined
  /** How many of the live ones have lost their connection, up to the last stall or stop. */
  readonly lostByStalls: number
  readonly lostByStops: number
  /** How many were ended by the server, by cause. */
  readonly closed: Readonly<Record<string, number>>
  /** What the live ones were sent. */
  readonly received: CrowdReport['received']
  readonly stalls: readonly Span[]
  readonly stops: readonly Span[]
  /** The longest round trip that the server tells of, right after a stall or stop; NaN: none. */
  readonly maxRttMs: number
  readonly faults: readonly string[]
}

/** How much later than interval and timeout a busy machine may find out that a client is gone. */
const SLACK_MS = 1000

/** Cuts clients off without a word, holds the server up, and looks who is still there. */
export async function runLiveness (t: Test, options: LivenessOptions): Promise<LivenessReport> {
  const { kind, live, heartbeat, interval } = options
  const server = await startServer(t, { kind, interval, heartbeat, options: { format: 'json' } })
  const crowd = await startCrowd(t, { port: server.port, count: live })
  const goneMs = await loseClients(t, server, options)

  const stalls: Span[] = []
  const rtts: number[] = []
  async function goOn (): Promise<void> {
    await sleep(heartbeat.timeout / 2)
    rtts.push(...(await server.state()).rtts)
    // Until everybody has been pinged again, and would have been found dead.
    await sleep(heartbeat.interval + heartbeat.timeout + SLACK_MS)
  }
  for (const ms of options.stallsMs) {
    stalls.push(await server.stall(ms))
    await goOn()
  }
  const afterStalls = await crowd.report()
  const stops: Span[] = []
  for (const ms of options.stopsMs) {
    stops.push(await stopBoth(server, crowd, ms))
    await goOn()
  }
  const afterStops = await crowd.report()
  return {
    goneMs,
    lostByStalls: live - afterStalls.open,
    lostByStops: afterStalls.open - afterStops.open,
    closed: (await server.state()).closed,
    received: afterStops.received,
    stalls,
    stops,
    maxRttMs: Math.max(...rtts),
    faults: server.faults
  }
}

/** Connects clients through a proxy that then swallows everything. @returns when they are gone. */
async function loseClients (
  t: Test, server: ServerProcess, { halfOpen, live, heartbeat }: LivenessOptions
): Promise<number | undefined> {
  const proxy = await createDelayingProxy(t, server.port)
  await startCrowd(t, { port: proxy.port, count: halfOpen })
  proxy.swallow()
  const startMs = performance.now()
  const isGone = async () => (await server.state()).clients <= live
  const limitMs = heartbeat.interval + heartbeat.timeout + 10 * SLACK_MS
  return await waitFor(isGone, 'their end', limitMs).then(
    () => performance.now() - startMs, () => undefined)
}

/**
 * Stops the server while pings are on their way: the clients were stopped a moment before, and
 * answer while it cannot read.
 */
async function stopBoth (server: ServerProcess, crowd: CrowdProcess, ms: number): Promise<Span> {
  crowd.stop()
  await server.pinged()
  const stopped = server.stop(ms)
  crowd.goOn()
  return await stopped
}
