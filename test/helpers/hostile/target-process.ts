import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Stats } from '../../../src/index.js'
import { waitFor, within } from '../network/wait.js'
import type { ServerKind, Test } from './server-process.js'

export interface TargetSettings {
  readonly kind: ServerKind
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** Whether the host has registered @fastify/websocket, with compression and a limit of 1 MiB. */
  readonly compresses: boolean
}

/** What the server's process is told. */
export type Command = 'settle' | 'observe' | 'close'

/** What has become of the server. */
export interface Observation {
  /** Open connections. */
  readonly connections: number
  /** How many ended with which code and cause; of the bare route, with which code. */
  readonly closes: Record<string, number>
  /** What it logged that a healthy client does not cause, at info level or above. */
  readonly lines: Record<string, number>
  /** What nobody caught. */
  readonly faults: readonly string[]
  /** By how many bytes its memory (RSS) grew at most, since it was told to settle. */
  readonly growthBytes: number
  /** Milliseconds of CPU time that its process has used since then. */
  readonly cpuMs: number
  /** Of the plugin only. */
  readonly stats: Stats | undefined
}

/** What it tells. */
export type Report =
  { type: 'ready', port: number } |
  { type: 'settled' } |
  { type: 'observation' } & Observation

/** A server in a process of its own. */
export interface Target {
  readonly port: number
  /** Collects garbage, and observes memory from here on. */
  settle (): Promise<void>
  observe (): Promise<Observation>
  /** Closes it. @returns the exit code of the process, or the signal. */
  close (): Promise<number | string>
}

const PROGRAM = fileURLToPath(new URL('target.js', import.meta.url))
const LIMIT_MS = 180_000

/** Starts it, listening on a free port, for as long as the test lasts. */
export async function startTarget (t: Test, settings: TargetSettings): Promise<Target> {
  const child = fork(PROGRAM, [JSON.stringify(settings)])
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const reports: Report[] = []
  let end: unknown
  child.on('message', (report: Report) => { reports.push(report) })
  exited.then((code) => { end = code })

  async function nextReport<Type extends Report['type']> (type: Type) {
    const find = () => reports.findIndex((report) => report.type === type)
    await waitFor(() => {
      if (end !== undefined) throw new Error(`the server ended: ${end}`)
      return find() >= 0
    }, `the server's report "${type}"`, LIMIT_MS)
    return reports.splice(find(), 1)[0] as Extract<Report, { type: Type }>
  }

  const { port } = await nextReport('ready')
  return {
    port,
    async settle () {
      child.send('settle' satisfies Command)
      await nextReport('settled')
    },
    async observe () {
      child.send('observe' satisfies Command)
      const { type, ...observation } = await nextReport('observation')
      return observation
    },
    async close () {
      child.send('close' satisfies Command)
      return await within(exited, 'the end of the server', LIMIT_MS)
    }
  }
}

/** What has become of a server once all its connections are closed; or after a minute. */
export async function waitForCalm (target: Target): Promise<Observation> {
  let observation = await target.observe()
  await waitFor(async () => {
    observation = await target.observe()
    return observation.connections === 0
  }, 'the end of all connections').catch(() => {})
  return observation
}
