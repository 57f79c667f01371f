import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '../network/wait.js'
import { connectRaw } from './raw-client.js'
import type { Conduct, RawClient } from './raw-client.js'
import type { ServerProcess } from './server-process.js'

/** How many there are of each kind. */
export interface Crowd {
  good: number
  mute?: number
  slow?: number
  /** Upgrades whose authentication never ends. */
  pending?: number
  /** Upgrades that arrive while the server closes, one every few milliseconds. */
  late?: number
}

export interface ShutdownOptions {
  server: ServerProcess
  isTls: boolean
  crowd: Crowd
  /** How long `app.close()` is waited for. */
  closeLimitMs: number
}

/** What came of a shutdown. */
export interface ShutdownReport {
  /** What the good clients were told, and how many were told so. */
  readonly goodbyes: Record<string, number>
  /** What pending and late upgrades were answered, late WebSockets with what they were told. */
  readonly pending: Record<string, number>
  readonly late: Record<string, number>
  /** How long `app.close()` took; undefined if longer than the limit. */
  readonly closeMs: number | undefined
  /** How many sockets the server had open then. */
  readonly leaked: number
  /** How the server's process ended by itself; undefined if it did not. */
  readonly exit: number | string | undefined
}

/** Connections that are opened at a time. */
const BATCH = 100
const LATE_EVERY_MS = 5
const HANGING = '/time?when=late&what=hang'

/** Connects a crowd, closes the server, and sees what they all come to. */
export async function runShutdown (
  { server, isTls, crowd, closeLimitMs }: ShutdownOptions
): Promise<ShutdownReport> {
  const open = (conduct: Conduct, path?: string) =>
    connectRaw({ port: server.port, isTls, conduct, ...path !== undefined && { path } })
  const { good, mute = 0, slow = 0, pending = 0, late = 0 } = crowd
  const goodOnes = await openMany(good, () => open('good'))
  const others = [
    ...await openMany(mute, () => open('mute')), ...await openMany(slow, () => open('slow'))
  ]
  const pendingOnes = Array.from({ length: pending }, () => open('good', HANGING))
  await settle(server, good + mute + slow + pending)

  const closing = server.close(closeLimitMs)
  const lateOnes: RawClient[] = []
  for (let count = 0; count < late; count++) {
    lateOnes.push(open('good'))
    await sleep(LATE_EVERY_MS)
  }
  const closeMs = await closing
  const leaked = closeMs === undefined ? (await server.count()).connections : 0
  const exit = closeMs === undefined ? undefined : await server.exited.catch(() => undefined)
  const report = {
    goodbyes: tally(goodOnes.map(({ goodbye }) => goodbye)),
    pending: tally(await endings(pendingOnes)),
    late: tally(await endings(lateOnes)),
    closeMs,
    leaked,
    exit
  }
  for (const client of [...goodOnes, ...others, ...pendingOnes, ...lateOnes]) client.destroy()
  return report
}

/** Opens WebSockets, some at a time. @throws when one is refused. */
async function openMany (count: number, open: () => RawClient): Promise<RawClient[]> {
  const clients: RawClient[] = []
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - clients.length) }, open)
    clients.push(...batch)
    const refusals = (await Promise.all(batch.map(({ answer }) => answer)))
      .filter((answer) => answer !== '101')
    if (refusals.length > 0) throw new Error(`connections were refused: ${refusals.join(', ')}`)
  }
  return clients
}

/** Waits until the server has so many connections. */
async function settle (server: ServerProcess, count: number): Promise<void> {
  let connections = 0
  while (connections < count) {
    ({ connections } = await server.count())
    await sleep(20)
  }
}

async function endings (clients: readonly RawClient[]): Promise<string[]> {
  await waitFor(() => clients.every(({ hasEnded }) => hasEnded), 'the end').catch(() => {})
  return await Promise.all(clients.map(async (client) => {
    if (!client.hasEnded) return 'still open'
    const answer = await client.answer
    return answer === '101' ? `101, ${client.goodbye}` : answer
  }))
}

/** How often each value occurs. */
export function tally (values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
