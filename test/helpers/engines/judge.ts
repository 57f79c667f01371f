import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { quantile } from '../browsers/verdict.js'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** What a clock said, and between which two readings of the server's clock it did. */
interface Reading {
  readonly askedMs: number
  readonly answeredMs: number
  readonly shownMs: number
  readonly errorMs: number
}

/** What came out for one clock. */
export interface Verdict {
  readonly count: number
  /** Readings that were beyond the clock's bound, whatever happened on the way. */
  readonly beyondCount: number
  /** As a row of a table: how far the clock was off, and what it promised. */
  readonly row: string
}

/** Asks clocks in pages and workers for the time, each over a WebSocket that is not delayed. */
export interface Judge {
  /** What the clock of this name is to connect to. */
  urlOf (name: string): string
  countOf (name: string): number
  verdictOn (name: string): Verdict
}

const EVERY_MS = 200
/** An answer that took longer says too little of how far a clock was off. */
const QUICK_MS = 6
/** Of both clocks. */
const ROUNDING_MS = 0.1

/** @param now the server's clock, which runs in this process. */
export async function startJudge (t: Test, now: () => number): Promise<Judge> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const readings = new Map<string, Reading[]>()
  const readingsOf = (name: string): Reading[] => readings.get(name) ?? []

  server.on('connection', (socket, { url }) => {
    const found: Reading[] = []
    readings.set(String(url).slice(1), found)
    let askedMs = NaN
    let isAnswered = true
    const timer = setInterval(() => {
      if (!isAnswered) return
      isAnswered = false
      askedMs = now()
      socket.send('')
    }, EVERY_MS)
    socket.on('message', (data) => {
      const answeredMs = now()
      isAnswered = true
      const [shownMs, errorMs] = JSON.parse(String(data))
      // Without a bound there is nothing to judge.
      if (errorMs !== null) found.push({ askedMs, answeredMs, shownMs, errorMs })
    })
    socket.on('error', () => {})
    socket.on('close', () => clearInterval(timer))
  })

  return {
    urlOf: (name) => `ws://127.0.0.1:${port}/${name}`,
    countOf: (name) => readingsOf(name).length,
    verdictOn: (name) => judge(readingsOf(name))
  }
}

function judge (readings: readonly Reading[]): Verdict {
  const beyondCount = readings.filter(isBeyond).length
  const quick = readings.filter(({ askedMs, answeredMs }) => answeredMs - askedMs <= QUICK_MS)
  const off = quick.map(({ askedMs, answeredMs, shownMs }) => (
    Math.abs(shownMs - (askedMs + answeredMs) / 2)
  ))
  const bounds = readings.map(({ errorMs }) => errorMs)
  const cells = [
    `${quick.length} of ${readings.length}`,
    ...[0.5, 0.95, 1].map((part) => quantile(off, part).toFixed(1)),
    ...[0.5, 1].map((part) => quantile(bounds, part).toFixed(1)),
    beyondCount
  ]
  return { count: readings.length, beyondCount, row: `| ${cells.join(' | ')} |` }
}

function isBeyond ({ askedMs, answeredMs, shownMs, errorMs }: Reading): boolean {
  const isSlow = shownMs + errorMs < askedMs - ROUNDING_MS
  const isFast = shownMs - errorMs > answeredMs + ROUNDING_MS
  return isSlow || isFast
}
