import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { createRandom } from '../fakes/random.js'
import { upgradeRequest } from '../network/raw.js'
import { waitFor } from '../network/wait.js'
import { createFrameSession } from './frame-session.js'
import type { FrameSession } from './frame-session.js'
import { goodbyeIn } from './raw-client.js'

export interface SessionsOptions {
  port: number
  count: number
  /** The same seed makes the same sessions. */
  seed: number
  /** How many are under way at a time. */
  concurrency: number
}

/** What came of them. */
export interface SessionsReport {
  /** How many were closed with each code, by what they did wrong. */
  readonly answers: Record<string, Record<string, number>>
  /** What was answered other than it must be. */
  readonly wrong: readonly string[]
}

const END_OF_HEAD = '\r\n\r\n'
const LIMIT_MS = 15_000

/** Lets hostile clients have a go at a server. */
export async function runFrameSessions (
  { port, count, seed, concurrency }: SessionsOptions
): Promise<SessionsReport> {
  const random = createRandom(seed)
  const answers: Record<string, Record<string, number>> = {}
  const wrong: string[] = []
  let started = 0
  async function work (): Promise<void> {
    while (started++ < count) {
      const session = createFrameSession(random)
      const answer = await play(session, port)
      const counts = answers[session.title] ??= {}
      counts[answer] = (counts[answer] ?? 0) + 1
      if (session.code !== undefined && answer !== String(session.code)) {
        wrong.push(`${session.title}: ${session.bytes.toString('hex', 0, 100)} got ${answer}`)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return { answers, wrong }
}

/** Carries one out. @returns the code that the server closes it with, or what else comes of it. */
async function play (
  { bytes, code, isDribbled }: FrameSession, port: number
): Promise<string> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  let came = Buffer.alloc(0)
  let isOpen = true
  socket.on('error', () => {})
  socket.on('close', () => { isOpen = false })
  socket.on('data', (chunk) => { came = Buffer.concat([came, chunk]) })
  socket.write(upgradeRequest('/time'))
  const headLength = () => came.indexOf(END_OF_HEAD) + END_OF_HEAD.length
  await waitFor(() => came.includes(END_OF_HEAD), 'the handshake', LIMIT_MS)
  for (const piece of isDribbled ? bytes : [bytes]) {
    if (!socket.writable) break
    socket.write(Buffer.isBuffer(piece) ? piece : Buffer.of(piece))
    await turn()
  }
  // What is no frame yet may wait for more of it, for ever.
  if (code === undefined) socket.end()
  const hasEnded = await waitFor(() => !isOpen, 'the end', LIMIT_MS).then(() => true, () => false)
  socket.destroy()
  if (!hasEnded) return 'still open'
  return goodbyeIn(came.subarray(headLength())).slice(0, 4)
}
