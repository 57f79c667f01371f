import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { within } from '../network/wait.js'

/** What a program printed, and how it ended. */
export interface ProgramRun {
  /** Its exit code; null if it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramSettings {
  /** Its working directory. Default: ours. */
  cwd?: string
  /** What it reads from its standard input. Default: nothing. */
  input?: string
  /** How long it may take. Default: 180 s. */
  limitMs?: number
}

/**
 * Runs a program to its end, without what tap loads into every child process.
 *
 * @throws when it takes longer than `limitMs`.
 */
export async function runProgram (
  command: string, args: readonly string[], { cwd, input = '', limitMs = 180_000 }: ProgramSettings = {}
): Promise<ProgramRun> {
  // tap adds its loader to the environment of whatever is spawned: `env` takes it away again.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', command, ...args], { cwd, env: plainEnv() })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => { output.stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text) => { output.stderr += text })
  // It may end without having read its input.
  child.stdin.on('error', () => {}).end(input)
  try {
    const [code] = await within(once(child, 'close'), `the end of ${command}`, limitMs)
    return { code, ...output }
  } finally {
    child.kill('SIGKILL')
  }
}

/** @returns what a program printed. @throws with what it printed when it failed. */
export async function outputOf (
  command: string, args: readonly string[], settings?: ProgramSettings
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, settings)
  if (code === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
}

function plainEnv (): NodeJS.ProcessEnv {
  const isPlain = ([name]: [string, unknown]) => !/^_?TAP/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(isPlain))
}
