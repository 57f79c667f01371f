import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FloodName } from './flood.js'
import type { Test } from './server-process.js'

export interface FloodersSettings {
  readonly port: number
  readonly flood: FloodName
  /** How many clients send it at the same time. */
  readonly clients: number
}

export interface FloodersReport {
  /** Code and reason that each was closed with; `none` where there was no close frame. */
  readonly goodbyes: readonly string[]
}

const PROGRAM = fileURLToPath(new URL('flooders.js', import.meta.url))

/** Connects clients from a process of their own. @returns what lets them loose. */
export async function startFlooders (
  t: Test, settings: FloodersSettings
): Promise<() => Promise<FloodersReport>> {
  const child = fork(PROGRAM, [JSON.stringify(settings)])
  t.teardown(() => child.kill('SIGKILL'))
  const failed = once(child, 'exit').then(([code]) => { throw new Error(`flooders ended: ${code}`) })
  failed.catch(() => {})
  await Promise.race([once(child, 'message'), failed])
  return async () => {
    child.send('go')
    const [report] = await Promise.race([once(child, 'message'), failed])
    return report as FloodersReport
  }
}
