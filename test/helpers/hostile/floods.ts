import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../network/peer.js'
import { waitFor } from '../network/wait.js'
import type { FloodName } from './flood.js'
import { startFlooders } from './flooders-process.js'
import type { Test } from './server-process.js'
import { tally } from './shutdown.js'
import type { Observation, Target } from './target-process.js'

export interface FloodOptions {
  target: Target
  flood: FloodName
  /** How many clients flood it at the same time. */
  flooders: number
}

/** What came of a flood. */
export interface FloodReport extends Observation {
  /** What the flooders were told, and how many were told so. */
  readonly goodbyes: Record<string, number>
  /** How late ticks came to healthy clients meanwhile: the 99th percentile. */
  readonly latenessMs: number
  /** How late they came before. */
  readonly latenessBeforeMs: number
  /** How many healthy clients are left, and how many of them are answered. */
  readonly served: number
}

const HEALTHY_COUNT = 5
/** Between two ticks of the server. */
export const INTERVAL_MS = 20
const CALM_MS = 500

/** Floods a server beside healthy clients. */
export async function runFlood (
  t: Test, { target, flood, flooders }: FloodOptions
): Promise<FloodReport> {
  const unleash = await startFlooders(t, { port: target.port, flood, clients: flooders })
  const ports = Array(HEALTHY_COUNT).fill(target.port)
  const healthy = await Promise.all(ports.map(observe))
  await sleep(CALM_MS)
  const latenessBeforeMs = percentile99(healthy.flatMap(({ take }) => take()))
  await target.settle()
  const { goodbyes } = await unleash()
  await waitFor(async () => (await target.observe()).connections === HEALTHY_COUNT, 'the end')
    .catch(() => {})
  const latenessMs = percentile99(healthy.flatMap(({ take }) => take()))
  const served = await Promise.all(healthy.map(({ isServed }) => isServed()))
  const observation = await target.observe()
  for (const { leave } of healthy) leave()
  return {
    ...observation,
    goodbyes: tally(goodbyes),
    latenessMs,
    latenessBeforeMs,
    served: served.filter(Boolean).length
  }
}

/** A healthy client, and how late ticks came to it. */
async function observe (port: number) {
  const peer = await connect(`ws://127.0.0.1:${port}/time`)
  const latenessMs: number[] = []
  let lastMs = performance.now()
  peer.ws.on('message', () => {
    const gapMs = performance.now() - lastMs
    lastMs += gapMs
    // Each tick that did not come counts as well: as late as the one that did.
    for (let lateMs = gapMs - INTERVAL_MS; lateMs > -INTERVAL_MS; lateMs -= INTERVAL_MS) {
      latenessMs.push(Math.max(0, lateMs))
    }
  })
  return {
    take: () => latenessMs.splice(0),
    leave: () => peer.ws.terminate(),
    async isServed () {
      peer.ws.send('hi')
      const served = waitFor(() => peer.messages.includes('hi'), 'the answer')
      return await served.then(() => true, () => false)
    }
  }
}

function percentile99 (values: number[]): number {
  values.sort((a, b) => a - b)
  return values[Math.floor(values.length * 0.99)] ?? Infinity
}
