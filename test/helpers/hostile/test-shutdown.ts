import { test } from 'tap'
import { startServer } from './server-process.js'
import type { Crowd } from './shutdown.js'
import { runShutdown } from './shutdown.js'

export interface Shutdown {
  title: string
  isTls: boolean
  graceMs: number
  crowd: Crowd
  /** Milliseconds that `app.close()` may take beyond the grace. Default: the promised 500. */
  slackMs?: number
}

/** Tests that a server's process ends in time, and that all who can know it are told. */
export function testShutdown (
  { title, isTls, graceMs, crowd, slackMs = 500 }: Shutdown
): void {
  test(`on a real port, ${title}`, async (t) => {
    const server = await startServer(t, { kind: 'time-socket', tls: isTls, graceMs, interval: 1000 })
    const { closeMs = Infinity, late, ...outcome } = await runShutdown({
      server, isTls, crowd, closeLimitMs: graceMs + 20_000
    })
    t.comment(`app.close() took ${closeMs} ms; late ones got ${JSON.stringify(late)}`)
    const { good, pending = 0 } = crowd
    t.strictSame(outcome, {
      goodbyes: { '1001 server shutting down': good },
      pending: pending > 0 ? { 503: pending } : {},
      leaked: 0,
      exit: 0
    })
    const accepted = ['503', 'refused', 'none', '101, 1001 server shutting down']
    t.strictSame(Object.keys(late).filter((ending) => !accepted.includes(ending)), [])
    t.ok(closeMs <= graceMs + slackMs, `app.close() took ${closeMs} ms`)
    t.strictSame(server.faults, [])
  })
}
