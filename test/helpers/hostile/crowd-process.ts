import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { within } from '../network/wait.js'
import type { Test } from './server-process.js'

export interface CrowdSettings {
  readonly port: number
  /** How many clients there are. */
  readonly count: number
  /** The subprotocols that they offer. Default: none. */
  readonly protocols?: readonly string[]
}

/** What has become of the clients. */
export interface CrowdReport {
  /** How many are connected. */
  readonly open: number
  /** How many are not any more, by close code. */
  readonly closes: Readonly<Record<string, number>>
  /** All that they were sent once all were connected, in order, and how many of them each. */
  readonly received: readonly (readonly [message: string, times: number])[]
}

/** Many clients in a process of their own, which answer pings and close frames. */
export interface CrowdProcess {
  report (): Promise<CrowdReport>
  /** Stops them all, as a SIGSTOP does. */
  stop (): void
  /** Lets them go on. */
  goOn (): void
}

const PROGRAM = fileURLToPath(new URL('crowd.js', import.meta.url))
const START_LIMIT_MS = 180_000

/** Starts them, for as long as the test lasts. @returns when all are connected. */
export async function startCrowd (t: Test, settings: CrowdSettings): Promise<CrowdProcess> {
  const child = fork(PROGRAM, [JSON.stringify(settings)])
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const died = exited.then(() => { throw new Error('the clients have died') })
  died.catch(() => {})
  await within(Promise.race([once(child, 'message'), died]), 'connecting', START_LIMIT_MS)
  return {
    async report () {
      const reported = once(child, 'message')
      child.send('report')
      const [report] = await within(reported, 'the report of the clients', START_LIMIT_MS)
      return report
    },
    stop () {
      child.kill('SIGSTOP')
    },
    goOn () {
      child.kill('SIGCONT')
    }
  }
}
