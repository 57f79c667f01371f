import { test } from 'tap'
import { SESSION_TITLES } from './frame-session.js'
import { runFrameSessions } from './frame-sessions.js'
import { startTarget, waitForCalm } from './target-process.js'
import type { Extent } from './test-handshakes.js'

/** The cause that goes with each code. */
const CAUSES: Record<string, string> = {
  1000: 'client', 1002: 'protocol', 1006: 'network', 1007: 'protocol', 1008: 'rate', 1009: 'size'
}

/** Tests that hostile frames are answered as they must be, and leave nothing behind. */
export function testFrameSessions ({ count, seed, concurrency }: Extent): void {
  test(`on a real port, ${count} sessions of hostile frames get the right close code, and leave nothing behind (SEED=${seed})`, {
    timeout: 600_000
  }, async (t) => {
    const target = await startTarget(t, { kind: 'time-socket', interval: 50, compresses: false })
    const { port } = target
    const { answers, wrong } = await runFrameSessions({ port, count, seed, concurrency })
    for (const [title, codes] of Object.entries(answers)) t.comment(title, JSON.stringify(codes))
    const { lines, faults, connections, closes, stats } = await waitForCalm(target)
    t.strictSame({ wrong, lines, faults, connections, clients: stats?.clients }, {
      wrong: [], lines: {}, faults: [], connections: 0, clients: 0
    })
    t.strictSame(SESSION_TITLES.filter((title) => answers[title] === undefined), [], 'all were tried')
    // Random bytes may be a close frame with any code.
    const known = Object.keys(closes).filter((close) => CAUSES[close.slice(0, 4)] !== undefined)
    t.strictSame(known.filter((close) => CAUSES[close.slice(0, 4)] !== close.slice(5)), [])
    const ended = Object.values(closes).reduce((sum, count) => sum + count, 0)
    const counted = Object.values(stats?.closed ?? {}).reduce((sum, count) => sum + count, 0)
    t.strictSame([stats?.accepted, ended, counted], [count, count, count], 'statistics add up')
    t.equal(await target.close(), 0)
  })
}
