/**
 * For the record: what floods and hostile frames do to a bare @fastify/websocket route, and to this
 * plugin. Prints tables, and fails only where the comparison could not be made.
 */
import { test } from 'tap'
import type { FloodName } from '../helpers/hostile/flood.js'
import { INTERVAL_MS, runFlood } from '../helpers/hostile/floods.js'
import { runFrameSessions } from '../helpers/hostile/frame-sessions.js'
import { startTarget } from '../helpers/hostile/target-process.js'
import type { Target } from '../helpers/hostile/target-process.js'

const KINDS = [['bare', '@fastify/websocket'], ['time-socket', 'fastify-time-socket']] as const
const FLOODS: readonly FloodName[] = [
  'small messages', 'pings whose pongs are never read', 'messages of 64 KiB',
  'bombs that inflate to 100 MiB'
]
const FLOODER_COUNT = 10
const SESSION_COUNT = 1000
const MIB = 1024 * 1024

test('on real ports, a bare route and this plugin are flooded', async (t) => {
  t.comment('| flood | server | RSS MiB | ticks late ms (p99; before) | ended | error lines |')
  t.comment('|---|---|---|---|---|---|')
  for (const flood of FLOODS) {
    for (const [kind, server] of KINDS) {
      const target = await startTarget(t, { kind, interval: INTERVAL_MS, compresses: true })
      const report = await runFlood(t, { target, flood, flooders: FLOODER_COUNT })
      const { growthBytes, latenessMs, latenessBeforeMs, closes, lines } = report
      const late = `${latenessMs.toFixed(0)}; ${latenessBeforeMs.toFixed(0)}`
      t.comment(`| ${flood} | ${server} | +${(growthBytes / MIB).toFixed(1)} | ${late} | ` +
        `${list(closes)} | ${list(lines)} |`)
      await end(target)
    }
  }
})

test(`on real ports, ${SESSION_COUNT} sessions send hostile frames to a bare route and to this plugin`, async (t) => {
  t.comment('| server | closed other than they must be | sockets left | log lines |')
  t.comment('|---|---|---|---|')
  for (const [kind, server] of KINDS) {
    const target = await startTarget(t, { kind, interval: 50, compresses: false })
    const { wrong } = await runFrameSessions({
      port: target.port, count: SESSION_COUNT, seed: 1, concurrency: 20
    })
    const { connections, lines } = await target.observe()
    const lineCount = Object.values(lines).reduce((sum, count) => sum + count, 0)
    t.comment(`| ${server} | ${wrong.length} | ${connections} | ${lineCount} |`)
    await end(target)
  }
})

/** A bare route does not end while somebody does not answer its close frame. */
async function end (target: Target): Promise<void> {
  const patience = new Promise<void>((resolve) => setTimeout(resolve, 5000).unref())
  await Promise.race([target.close(), patience])
}

function list (counts: Record<string, number>): string {
  return Object.entries(counts).map(([name, count]) => `${count} × ${name}`).join(', ') || 'none'
}
