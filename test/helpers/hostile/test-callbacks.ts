import type { FastifyRequest } from 'fastify'
import { test } from 'tap'
import type { TimeSocketClient, TimeSocketOptions } from '../../../src/index.js'
import { show } from '../../../src/util/values.js'
import { createTimeApp, listen } from '../network/app.js'
import { connect } from '../network/peer.js'
import { CLOSE_FRAME, openRaw, textFrame, upgradeRequest } from '../network/raw.js'
import { SOON_MS, waitFor } from '../network/wait.js'
import { MISDEEDS } from './misdeeds.js'

type TimeApp = Awaited<ReturnType<typeof createTimeApp>>

/** One kind of callback, and how it is made to misbehave. */
interface Case {
  readonly name: string
  options (misbehave: Misbehave): TimeSocketOptions<Context>
  /** Has it called at least once, and waits until whoever it was called for is gone. */
  provoke (app: TimeApp['app'], port: number, misbehave: Misbehave): Promise<unknown>
  /** Whether it may log a line each time: the error of a request. Default: one in ten seconds. */
  readonly isLogged?: boolean
}

/** Does the next misdeed, where it is asked to. */
type Misbehave = (isAsked: boolean) => unknown

interface Context {
  isBad: boolean
}

const GRACE_MS = 200
const HANDSHAKE_TIMEOUT_MS = 300
const PARALLEL = 20
const QUIET_SECONDS = 10
const BAD = '/time?bad'

const isBad = ({ query }: FastifyRequest) => 'bad' in Object(query)
const context = (request: FastifyRequest) => ({ isBad: isBad(request) })
const isBadClient = ({ context }: TimeSocketClient<Context>) => context.isBad

const cases: Case[] = [
  {
    name: 'onConnect',
    options: (misbehave) => ({ context, onConnect: (client) => misbehave(isBadClient(client)) }),
    provoke: visit
  },
  {
    name: 'onMessage',
    options: (misbehave) => ({ context, onMessage: (client) => misbehave(isBadClient(client)) }),
    provoke: visit
  },
  {
    name: 'onClose',
    options: (misbehave) => ({ context, onClose: (client) => misbehave(isBadClient(client)) }),
    provoke: visit
  },
  {
    name: 'onTick',
    options: (misbehave) => ({ onTick: () => misbehave(true) }),
    provoke: nextTick
  },
  {
    name: 'format',
    options: (misbehave) => ({ format: () => misbehave(true) as string }),
    provoke: nextTick
  },
  {
    name: 'context',
    options: (misbehave) => ({ context: (request) => misbehave(isBad(request)) as Context }),
    provoke: visit,
    isLogged: true
  },
  {
    name: 'expiresAt',
    options: (misbehave) => ({ expiresAt: (request) => misbehave(isBad(request)) as number }),
    provoke: visit,
    isLogged: true
  },
  {
    name: 'origin',
    options: (misbehave) => ({
      origin: (_origin, request) => misbehave(isBad(request)) as boolean
    }),
    provoke: visit,
    isLogged: true
  },
  {
    name: 'a filter',
    options: () => ({}),
    async provoke (app, _port, misbehave) {
      try {
        app.timeSocket.broadcast('news', { filter: () => misbehave(true) as boolean })
      } catch {
        // What it throws is the caller's, as is the error for a promise.
      }
    }
  }
]

/** Tests that callbacks which misbehave harm nobody but whom they were called for. */
export function testCallbacks (count: number): void {
  for (const { name, options, provoke, isLogged = false } of cases) {
    test(`on a real port, ${name} misbehaves ${count} times, and other clients are not affected`, async (t) => {
      const surprises = keepSurprises(t)
      const run = { called: 0, isOver: false }
      const misbehave = (isAsked: boolean) => {
        if (!isAsked || run.isOver) return undefined
        const [, act = () => {}] = MISDEEDS[run.called++ % MISDEEDS.length] ?? []
        return act()
      }
      const startMs = performance.now()
      const { app, log, timeSocket } = await createTimeApp<Context>(t, {
        interval: 10,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        shutdown: { grace: GRACE_MS },
        ...options(misbehave)
      })
      const port = await listen(app)
      const good = await connect(`ws://127.0.0.1:${port}/time`, { protocols: ['time.v1'] })
      // A plain one, for whom a format is called.
      await connect(`ws://127.0.0.1:${port}/time`)
      while (run.called < count) {
        await Promise.all(Array.from({ length: PARALLEL }, () => provoke(app, port, misbehave)))
      }
      await waitFor(() => timeSocket.clients.size === 2, 'the end of all others')
      run.isOver = true
      await good.received(good.messages.length + 3)
      const closingMs = performance.now()
      await app.close()
      const tookMs = performance.now() - closingMs
      // The first repeats the last before it came.
      const [, ...seq] = good.messages.map((text) => JSON.parse(String(text)))
        .filter(({ type }) => type === 'tick').map(({ seq }) => seq)
      const lines = log.lines.filter(({ level }) => level >= 40).length
      const seconds = (performance.now() - startMs) / 1000
      const maxLines = isLogged ? run.called : 2 + 2 * seconds / QUIET_SECONDS
      t.comment(`${run.called} times, ${lines} lines, ${seq.length} ticks, closed in ${tookMs} ms`)
      t.strictSame(surprises, [])
      t.strictSame(seq, seq.map((_, index) => seq[0] + index))
      t.ok(lines <= maxLines, `${lines} lines`)
      t.ok(tookMs <= GRACE_MS + SOON_MS, `app.close() took ${tookMs} ms`)
    })
  }
}

/** Connects, says something, and leaves, or is made to. */
async function visit (_app: TimeApp['app'], port: number): Promise<void> {
  const peer = openRaw(port, upgradeRequest(BAD, { headers: ['Origin: http://127.0.0.1'] }))
  await peer.answered
  peer.socket.write(textFrame('hi'))
  peer.socket.end(CLOSE_FRAME)
  await peer.ended
}

async function nextTick ({ timeSocket }: TimeApp['app']): Promise<void> {
  const { sent } = timeSocket.stats().ticks
  await waitFor(() => timeSocket.stats().ticks.sent > sent, 'a tick')
}

/** What nobody has caught. */
function keepSurprises (t: { teardown (callback: () => void): unknown }): string[] {
  const surprises: string[] = []
  const keep = (err: unknown) => { surprises.push(show(err)) }
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.on(event, keep)
    t.teardown(() => process.off(event, keep))
  }
  return surprises
}
