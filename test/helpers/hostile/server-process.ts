import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Stats, Tick, TimeSocketOptions } from '../../../src/index.js'
import { waitFor, within } from '../network/wait.js'

/** What is put to the test: this plugin, or a bare @fastify/websocket route. */
export type ServerKind = 'time-socket' | 'bare'

export interface ServerSettings {
  readonly kind: ServerKind
  /** Whether it speaks TLS. Default false. */
  readonly tls?: boolean
  readonly handshakeTimeoutMs?: number
  readonly graceMs?: number
  /** Milliseconds between two ticks. */
  readonly interval?: number
  /** Whether @fastify/under-pressure is there, to refuse everything once told to. Default false. */
  readonly canBePressed?: boolean
  /** Pings: the plugin's, or every `interval` those of the README of ws. Default: as they come. */
  readonly heartbeat?: { readonly interval: number, readonly timeout: number }
  /** Further options of the plugin, as far as JSON can express them. */
  readonly options?: TimeSocketOptions
  /** Milliseconds between two broadcasts. Default: none. */
  readonly broadcastEveryMs?: number
  /** Variables of its environment, besides ours. */
  readonly env?: Readonly<Record<string, string>>
}

/** What the server's process is told. */
export type Command = 'count' | 'press' | 'close' | 'state' | 'memory' | 'tell' | { stallMs: number }

/** What it tells. */
export type Report =
  { type: 'ready', port: number } |
  { type: 'count', connections: number, handles: number } |
  { type: 'closed', tookMs: number } |
  { type: 'state' } & State |
  { type: 'memory', rss: number, heap: number } |
  { type: 'pinged' } |
  { type: 'stalled', fromMs: number, toMs: number } |
  { type: 'fault', message: string }

/** How its clients are. */
export interface State {
  readonly clients: number
  /** How many have gone, by cause; of a bare server `heartbeat` and `others`. */
  readonly closed: Readonly<Record<string, number>>
  /** Of each client that has one, in ms. */
  readonly rtts: readonly number[]
  /** Of the plugin only. */
  readonly stats?: Stats
  readonly ticks?: readonly TickRecord[]
}

/** A tick that was sent, as the server saw it. */
export interface TickRecord extends Tick {
  /** When that was, on its monotonic clock. */
  readonly monotonicMs: number
  /** For how long its event loop did not turn at most, since the tick before. */
  readonly heldUpMs: number
}

/** A stretch of time, in ms since the Unix epoch. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** A server in a process of its own. */
export interface ServerProcess {
  readonly port: number
  /** What nobody caught there, so far. */
  readonly faults: readonly string[]
  /** Resolves with the exit code, or the signal. */
  readonly exited: Promise<number | string>
  /** Open connections, as the server counts them, and as the process does. */
  count (): Promise<{ connections: number, handles: number }>
  /** From soon on, every request is refused by @fastify/under-pressure. */
  press (): void
  state (): Promise<State>
  /** Bytes that the process takes once its garbage is collected. */
  memory (): Promise<{ rss: number, heap: number }>
  /** Resolves when it has pinged clients next, or sent a tick, with which pings go. */
  pinged (): Promise<void>
  /** Blocks its event loop once, just after it has pinged clients or sent a tick. */
  stall (ms: number): Promise<Span>
  /** Stops the process, as a SIGSTOP does, and lets it go on. */
  stop (ms: number): Promise<Span>
  /** Starts `app.close()`. @returns how long it took, in ms; undefined if longer than the limit. */
  close (limitMs: number): Promise<number | undefined>
}

/** What is needed of tap's test object. */
export interface Test {
  teardown (callback: () => unknown): unknown
}

const PROGRAM = fileURLToPath(new URL('server.js', import.meta.url))
const START_LIMIT_MS = 180_000

/** Starts it, listening on a free port, for as long as the test lasts. */
export async function startServer (t: Test, settings: ServerSettings): Promise<ServerProcess> {
  const child = fork(PROGRAM, [JSON.stringify(settings)], {
    env: { ...process.env, ...settings.env }
  })
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const faults: string[] = []
  const reports: Report[] = []
  child.on('message', (report: Report) => {
    if (report.type === 'fault') faults.push(report.message)
    else reports.push(report)
  })

  async function nextReport<Type extends Report['type']> (type: Type, limitMs: number) {
    const isThat = (report: Report) => report.type === type
    await waitFor(() => reports.some(isThat), `the server's report "${type}"`, limitMs)
    const [report] = reports.splice(reports.findIndex(isThat), 1)
    return report as Extract<Report, { type: Type }>
  }

  const died = exited.then((end) => { throw new Error(`the server ended: ${end}`) })
  const { port } = await Promise.race([nextReport('ready', START_LIMIT_MS), died])
  died.catch(() => {})
  return {
    port,
    faults,
    get exited () {
      return within(exited, 'the end of the server')
    },
    async count () {
      child.send('count' satisfies Command)
      const { connections, handles } = await nextReport('count', START_LIMIT_MS)
      return { connections, handles }
    },
    press () {
      child.send('press' satisfies Command)
    },
    async state () {
      child.send('state' satisfies Command)
      return await nextReport('state', START_LIMIT_MS)
    },
    async memory () {
      child.send('memory' satisfies Command)
      return await nextReport('memory', START_LIMIT_MS)
    },
    async pinged () {
      child.send('tell' satisfies Command)
      await nextReport('pinged', START_LIMIT_MS)
    },
    async stall (stallMs) {
      child.send({ stallMs } satisfies Command)
      return await nextReport('stalled', stallMs + START_LIMIT_MS)
    },
    async stop (ms) {
      child.kill('SIGSTOP')
      const fromMs = Date.now()
      await sleep(ms)
      const toMs = Date.now()
      child.kill('SIGCONT')
      return { fromMs, toMs }
    },
    async close (limitMs) {
      child.send('close' satisfies Command)
      return await nextReport('closed', limitMs).then(({ tookMs }) => tookMs, () => undefined)
    }
  }
}
