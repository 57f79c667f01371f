import { get } from 'node:http'
import { connect } from 'node:net'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { connect as connectPeer } from '../network/peer.js'
import type { Peer } from '../network/peer.js'
import { createRandom } from '../fakes/random.js'
import { waitFor } from '../network/wait.js'
import { createHandshake } from './handshake.js'
import type { Handshake } from './handshake.js'
import type { ServerProcess } from './server-process.js'

export interface HandshakesOptions {
  server: ServerProcess
  handshakeTimeoutMs: number
  count: number
  /** The same seed makes the same handshakes. */
  seed: number
  /** How many are under way at a time. */
  concurrency: number
  /** Whether everything is refused by @fastify/under-pressure. Default false. */
  isPressed?: boolean
  /** How long `app.close()` is waited for. */
  closeLimitMs: number
}

/** What came of a run. */
export interface HandshakesReport {
  /** How many were answered with which status; `none` without an answer. */
  readonly answers: Record<string, number>
  /** Handshakes that the server should have ended, and did not within its timeout + 5 s. */
  readonly stuck: readonly string[]
  /** What nobody caught in the server. */
  readonly faults: readonly string[]
  /** What is open in the server after its timeout + 10 s, besides the healthy connection. */
  readonly connections: number
  readonly handles: number
  /** The longest time that a healthy client waited for a tick, and whether it was answered. */
  readonly silenceMs: number
  readonly isServed: boolean
  /** How long `app.close()` took; undefined if longer than the limit. */
  readonly closeMs: number | undefined
  /** What the healthy client was told at the end; undefined while it is told nothing. */
  readonly goodbye: [code: number, reason: string] | undefined
}

/** How long after its timeout the server may take to end the last connections. */
const SLACK_MS = 10_000
/** The same for one connection of many. This process, too, may be held up for seconds. */
const PATIENCE_MS = 60_000
/** The run stops after this many connections that do not end. */
const MAX_STUCK = 10

/** Lets hostile clients have a go at a server, beside one healthy client, and closes it. */
export async function runHandshakes (options: HandshakesOptions): Promise<HandshakesReport> {
  const { server, handshakeTimeoutMs, count, seed, concurrency, closeLimitMs } = options
  const patienceMs = handshakeTimeoutMs + PATIENCE_MS
  const healthy = await observe(server.port)
  if (options.isPressed === true) await press(server)

  const random = createRandom(seed)
  const answers: Record<string, number> = {}
  const stuck: string[] = []
  let started = 0
  async function work (): Promise<void> {
    while (started++ < count && stuck.length < MAX_STUCK) {
      const handshake = createHandshake(random)
      const { answer, hasEnded } = await play(handshake, server.port, patienceMs)
      answers[answer] = (answers[answer] ?? 0) + 1
      if (!hasEnded) stuck.push(handshake.title)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))

  const left = await leftOver(server, handshakeTimeoutMs + SLACK_MS)
  const { silenceMs, isServed } = await healthy.look()
  const closeMs = await server.close(closeLimitMs)
  const goodbye = await healthy.goodbye()
  return { answers, stuck, faults: server.faults, ...left, silenceMs, isServed, closeMs, goodbye }
}

/** A healthy client, and the longest time that it waited for a tick. */
async function observe (port: number) {
  const peer: Peer = await connectPeer(`ws://127.0.0.1:${port}/time`)
  let goodbye: [number, string] | undefined
  peer.ws.on('close', (code, reason) => { goodbye = [code, String(reason)] })
  let silenceMs = 0
  let lastMs = performance.now()
  peer.ws.on('message', () => {
    silenceMs = Math.max(silenceMs, performance.now() - lastMs)
    lastMs = performance.now()
  })
  return {
    async look () {
      peer.ws.send('hi')
      const served = waitFor(() => peer.messages.includes('got hi'), 'the answer')
      return { silenceMs, isServed: await served.then(() => true, () => false) }
    },
    async goodbye () {
      await waitFor(() => goodbye !== undefined, 'the end').catch(() => {})
      peer.ws.terminate()
      return goodbye
    }
  }
}

async function press (server: ServerProcess): Promise<void> {
  server.press()
  let status: number | undefined
  await waitFor(() => {
    get({ port: server.port, path: '/plain', agent: false }, (response) => {
      status = response.resume().statusCode
    })
    return status === 503
  }, 'the pressure')
}

/** Waits for the server to get rid of everything but the healthy client. */
async function leftOver (server: ServerProcess, limitMs: number) {
  const endMs = performance.now() + limitMs
  for (;;) {
    const { connections, handles } = await server.count()
    if ((connections === 1 && handles === 1) || performance.now() > endMs) {
      return { connections: connections - 1, handles: handles - 1 }
    }
    await sleep(20)
  }
}

/** Carries out one handshake. */
async function play (
  { bytes, isDribbled, leaving, isUpgrade }: Handshake, port: number, limitMs: number
): Promise<{ answer: string, hasEnded: boolean }> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  let answer = 'none'
  let isOpen = true
  let isWebSocket = false
  socket.on('error', () => {})
  socket.on('close', () => { isOpen = false })
  socket.on('data', (chunk) => {
    if (answer === 'none') answer = /^HTTP\/1\.1 (\d+)/.exec(String(chunk))?.[1] ?? 'garbage'
    isWebSocket ||= String(chunk).includes('HTTP/1.1 101 ')
  })
  for (const piece of isDribbled ? bytes : [bytes]) {
    if (!socket.writable) break
    socket.write(Buffer.isBuffer(piece) ? piece : Buffer.of(piece))
    await turn()
  }
  if (leaving === 'fin') socket.end()
  if (leaving === 'reset') socket.resetAndDestroy()
  // A plain connection may be kept alive, and a WebSocket is to stay: until the client leaves.
  const mayStay = () => leaving === 'stay' && (isWebSocket || (!isUpgrade && answer !== 'none'))
  await waitFor(() => !isOpen || mayStay(), 'the end', limitMs).catch(() => {})
  const hasEnded = !isOpen || mayStay() || (leaving === 'stay' && !isUpgrade)
  socket.destroy()
  return { answer, hasEnded }
}
