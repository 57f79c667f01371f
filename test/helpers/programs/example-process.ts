import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { t as file } from 'tap'
import type { LogLine } from '../fakes/log.js'
import { waitFor, within } from '../network/wait.js'
import { ROOT } from '../root.js'

/** How a run of the example ended, and all that it said. */
export interface ExampleRun {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The example application as a process of its own, listening. */
export interface ExampleProcess {
  readonly port: number
  /** What it has logged so far. */
  log (): LogLine[]
  /** Sends it a signal. @returns how it ended; rejects when that takes longer than a minute. */
  stop (signal: NodeJS.Signals): Promise<ExampleRun>
}

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** What `npm start` runs once it has built: a signal to npm reaches that shell only. */
const { scripts: { start: START } } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))

/** Starts the built example, by default on a free port, for as long as the test lasts. */
export async function startExample (
  t: Test, env: NodeJS.ProcessEnv = { PORT: '0' }
): Promise<ExampleProcess> {
  const { child, output, ended } = spawnExample(env)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const findBanner = () => /Time Server started at http:\/\/\S+:(\d+)/.exec(output.stdout)
  const isDecided = () => findBanner() !== null || child.exitCode !== null
  await waitFor(isDecided, 'the start of the example')
  const banner = findBanner()
  if (banner === null) throw new Error(`the example ended: ${output.stderr}`)
  return {
    port: Number(banner[1]),
    // What follows the last line break has not been written to its end.
    log: () => output.stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line)),
    stop (signal) {
      child.kill(signal)
      return within(ended, `the end of the example after ${signal}`)
    }
  }
}

let sharedExample: Promise<ExampleProcess> | undefined

/** Starts the built example on a free port, once for all tests of a file that do not change it. */
export async function shareExample (): Promise<ExampleProcess> {
  sharedExample ??= startExample(file)
  return await sharedExample
}

/** Runs the built example, which cannot start, to its end. */
export async function runExample (env: NodeJS.ProcessEnv): Promise<ExampleRun> {
  const { child, ended } = spawnExample(env)
  try {
    return await within(ended, `the end of the example with ${JSON.stringify(env)}`)
  } finally {
    child.kill('SIGKILL')
  }
}

function spawnExample (env: NodeJS.ProcessEnv) {
  // tap puts its loader back into the environment of every child process.
  const command = ['-u', 'NODE_OPTIONS', 'sh', '-c', START]
  const child = spawn('env', command, { cwd: ROOT, env: { ...plainEnv(), ...env } })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => { output.stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text) => { output.stderr += text })
  const ended = once(child, 'close').then(([code, signal]): ExampleRun => (
    { code, signal, ...output }
  ))
  return { child, output, ended }
}

/** Without what tap loads into child processes, and without the example's own variables. */
function plainEnv (): NodeJS.ProcessEnv {
  const isPlain = ([name]: [string, unknown]) => !/^(NODE_|_?TAP|HOST$|PORT$)/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(isPlain))
}
