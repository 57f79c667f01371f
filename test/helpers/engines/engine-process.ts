import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { within } from '../network/wait.js'

/** A program that runs until it is ended, with all processes that it has started. */
export interface EngineProcess {
  /** The ids of all processes that belong to it now. */
  pids (): number[]
  /** Resolves with the first group of the pattern once the program has printed it. */
  printed (pattern: RegExp): Promise<string>
  /** Kills all its processes. Idempotent. */
  end (): Promise<void>
}

/** What programs print on these is read; on 3 as well, where Xvfb tells its display. */
const STDIO = ['ignore', 'pipe', 'pipe', 'pipe'] as const
/** Two Firefoxes that start at once on a busy machine have taken 100 s. */
const START_MS = 180_000

/** Starts a program. The caller ends it; when this process exits, it is killed as well. */
export function startProcess (
  command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env
): EngineProcess {
  const child = spawn(command, args, { stdio: [...STDIO], env: withoutNode(env) })
  const exited = once(child, 'exit')
  const killAll = (): void => kill(processTree(child.pid), 'SIGKILL')
  process.once('exit', killAll)
  let output = ''
  for (const stream of child.stdio as (Readable | null)[]) {
    stream?.on('data', (chunk) => { output += chunk })
  }

  return {
    pids: () => processTree(child.pid),
    async printed (pattern) {
      await within(untilPrinted(child, () => pattern.test(output)), `${command} saying ${pattern}`, START_MS)
      const [, text] = pattern.exec(output) ?? []
      if (text === undefined) throw new Error(`${command} ended: ${output}`)
      return text
    },
    async end () {
      process.off('exit', killAll)
      // Children would outlive their parent.
      killAll()
      await within(exited, `the end of ${command}`)
    }
  }
}

/** Sends a signal to each process that still runs. */
export function kill (pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended by itself.
    }
  }
}

async function untilPrinted (child: ChildProcess, isPrinted: () => boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const check = (): void => { if (isPrinted()) resolve() }
    for (const stream of child.stdio as (Readable | null)[]) stream?.on('data', check)
    child.once('close', () => resolve()).once('error', reject)
    check()
  })
}

/** The process and its descendants, as /proc lists them; empty once it has ended. */
function processTree (root: number | undefined): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), readParent(name))
  }
  if (root === undefined || !parents.has(root)) return []
  const tree = [root]
  // Grows while it is read.
  for (const parent of tree) {
    for (const [pid, ppid] of parents) if (ppid === parent) tree.push(pid)
  }
  return tree
}

function readParent (pid: string): number {
  try {
    // The name, in parentheses, may contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2])
  } catch {
    return 0
  }
}

/** tap adds its loader to the environment of whatever is spawned. */
function withoutNode (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(NODE_|_?TAP)/.test(name)))
}
