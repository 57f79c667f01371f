import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createTimeApp, listen } from './app.js'
import { CLOSE_FRAME, openRaw, textFrame, tryUpgrade, upgradeRequest } from './raw.js'
import { waitFor } from './wait.js'

/** How far a client gets before it leaves. */
const STAGES = ['headers', 'authentication', '101', 'frame', 'close'] as const
/** 127.0.0.2 and up. */
const ADDRESSES = Array.from({ length: 50 }, (_, index) => `127.0.0.${index + 2}`)
const PARALLEL = 20

export interface Limits {
  readonly maxClients: number
  readonly maxClientsPerIp: number
}

/** Wide and narrow ones: with the latter nearly all who come are refused. */
export const CHURN_LIMITS: readonly [title: string, limits: Limits][] = [
  ['that there is room for', { maxClients: 100, maxClientsPerIp: 2 }],
  ['that are mostly refused', { maxClients: 3, maxClientsPerIp: 1 }]
]

/** What is needed of tap's test object. */
type Test = Parameters<typeof createTimeApp>[0]

/** A server whose clients come and leave at every stage. */
export interface Churn {
  readonly app: FastifyInstance
  readonly port: number
  /** Lets so many clients come and leave, twenty at a time, and waits for the last. */
  run (count: number): Promise<void>
}

export async function createChurn (t: Test, options: TimeSocketOptions): Promise<Churn> {
  const held = new Map<string, Held>()
  const { app } = await createTimeApp(t, {
    // Holds whoever asks for it until that one has left.
    async preValidation (request: FastifyRequest) {
      const { id } = request.query as { id?: string }
      if (id === undefined) return
      const hold = held.get(id) as Held
      hold.enter()
      await hold.left
    },
    shutdown: { grace: 50 },
    ...options
  }, { logger: false })
  const port = await listen(app)

  async function visit (index: number): Promise<void> {
    const stage = STAGES[index % STAGES.length]
    const isReset = index % 2 === 0
    const hold = createHold()
    const id = String(index)
    held.set(id, hold)
    const request = upgradeRequest(stage === 'authentication' ? `/time?id=${id}` : '/time')
    const address = ADDRESSES[index % ADDRESSES.length]
    const peer = openRaw(port, stage === 'headers' ? request.slice(0, -2) : request, address)
    if (stage === 'headers') await connected(peer.socket)
    else await Promise.race([peer.answered, hold.entered])
    if (stage === 'frame') peer.socket.write(textFrame('half').subarray(0, 8))
    if (stage === 'close') peer.socket.write(CLOSE_FRAME)
    if (isReset) peer.socket.resetAndDestroy()
    else peer.socket.end()
    hold.leave()
    await peer.ended
    held.delete(id)
  }

  return {
    app,
    port,
    async run (count) {
      for (let start = 0; start < count; start += PARALLEL) {
        const length = Math.min(PARALLEL, count - start)
        await Promise.all(Array.from({ length }, (_, index) => visit(start + index)))
      }
      await allGone(app)
    }
  }
}

/**
 * Connects from every address in turn, once more than it may.
 *
 * @returns what each upgrade was answered, and what it should be if nobody was there before.
 */
export async function fillUp (
  port: number, { maxClients, maxClientsPerIp }: Limits
): Promise<{ answers: number[], expected: number[] }> {
  const answers: number[] = []
  const expected: number[] = []
  let count = 0
  for (const address of ADDRESSES) {
    for (let fromHere = 0; fromHere <= maxClientsPerIp; fromHere++) {
      answers.push(await tryUpgrade(port, address))
      const isFull = count === maxClients
      expected.push(isFull ? 503 : fromHere === maxClientsPerIp ? 429 : 101)
      if (expected.at(-1) === 101) count++
    }
  }
  return { answers, expected }
}

/** Resolves when no connection is open. */
export async function allGone (app: FastifyInstance): Promise<void> {
  let connectionCount = NaN
  await waitFor(() => {
    app.server.getConnections((_err, count) => { connectionCount = count })
    return connectionCount === 0
  }, 'the end of the last connection')
}

interface Held {
  enter: () => void
  leave: () => void
  readonly entered: Promise<void>
  readonly left: Promise<void>
}

function createHold (): Held {
  let [enter, leave] = [() => {}, () => {}]
  const entered = new Promise<void>((resolve) => { enter = resolve })
  const left = new Promise<void>((resolve) => { leave = resolve })
  return { enter, leave, entered, left }
}

async function connected (socket: Socket): Promise<void> {
  if (socket.connecting) await new Promise((resolve) => socket.once('connect', resolve))
}
