import { test } from 'tap'
import { createFakeWallClock, hasFakeWallClock } from '../../helpers/programs/fake-wall-clock.js'
import { connect } from '../../helpers/network/peer.js'
import type { TickRecord } from '../../helpers/hostile/server-process.js'
import { startServer } from '../../helpers/hostile/server-process.js'
import { waitFor } from '../../helpers/network/wait.js'

const INTERVAL_MS = 100
/** An hour back, a day forward, and twenty seconds back, one by one. */
const STEPS = [-3600, 25 * 3600, ...Array<number>(20).fill(-1)]
const LOOK_EVERY_MS = 50
/** Less than the least step, and more than a busy machine delays a tick. */
const LIMIT_MS = 900
/** When a permission ends that is to end while the clock jumps. */
const EXPIRES_MS = 1500
/** Two hours, which pass in the leap, and two days, which do not. */
const DUE_MS = [7_200_000, 172_800_000]

if (!hasFakeWallClock && process.env['CI'] === 'true') throw new Error('install libfaketime')
const options = { skip: !hasFakeWallClock && 'there is no libfaketime' }

test('a step of the wall clock changes the times that are sent, and nothing else', options, async (t) => {
  const wallClock = createFakeWallClock(`${t.testdir()}/wall-clock`)
  const server = await startServer(t, {
    kind: 'time-socket',
    interval: INTERVAL_MS,
    heartbeat: { interval: 500, timeout: 10_000 },
    env: wallClock.env
  })
  const url = `ws://127.0.0.1:${server.port}/time`
  const peers = [
    await connect(url), await connect(url, { protocols: ['time.v1'] }),
    await connect(`${url}?expires=3600000`)
  ]
  for (const afterMs of DUE_MS) peers[0]?.ws.send(`in ${afterMs}`)
  const startMs = performance.now()
  const expiring = await connect(`${url}?expires=${EXPIRES_MS}`)
  const expired = expiring.closed.then((end) => ({ end, ms: performance.now() - startMs }))
  const hasTicked = async (clockSteps: number) => {
    await waitFor(async () => (await server.state()).ticks?.at(-1)?.clockSteps === clockSteps,
      `a tick after step ${clockSteps}`, undefined, LOOK_EVERY_MS)
  }
  await hasTicked(0)
  const { ticks: [first] = [] } = await server.state()
  for (const [index, seconds] of STEPS.entries()) {
    wallClock.step(seconds)
    await hasTicked(index + 1)
  }
  const findNews = () => peers[0]?.messages.filter((message) => String(message).endsWith('later')) ?? []
  await waitFor(() => findNews().length > 0, 'the scheduled message')
  const { end, ms } = await expired
  await waitFor(async () => (await server.state()).clients === peers.length, 'its leaving')
  const { clients, stats, ticks = [] } = await server.state()
  const news = findNews()
  const told = Number(new Date(String(peers[0]?.messages.at(-1))))

  t.strictSame(ticks[0], first)
  t.strictSame(ticks.map(({ seq }) => seq), ticks.map((_, index) => index))
  t.strictSame(ticks.filter(({ at, sent }) => at % INTERVAL_MS !== 0 || sent < at), [])
  const gaps = gapsOf(ticks)
  const offMs = Math.max(...gaps.map(({ ms }) => Math.abs(ms - INTERVAL_MS)))
  t.comment(`${ticks.length} ticks, at most ${offMs.toFixed(1)} ms off`)
  t.strictSame(gaps.filter(({ ms, slack }) => Math.abs(ms - INTERVAL_MS) > LIMIT_MS + slack), [])
  const clockSteps = [ticks[0]?.clockSteps, ticks.at(-1)?.clockSteps, stats?.clockSteps]
  t.strictSame(clockSteps, [0, STEPS.length, STEPS.length])
  t.ok(Math.abs(told - Date.now() - wallClock.offset * 1000) < 10_000, new Date(told).toISOString())

  t.strictSame(news, [`${DUE_MS[0]} ms later`])
  t.strictSame(end, [4401, 'permission expired'])
  t.ok(ms >= EXPIRES_MS - 1 && ms < EXPIRES_MS + 10_000, `after ${ms} ms`)
  const ended = Object.entries(stats?.closed ?? {}).filter(([, count]) => count > 0)
  t.strictSame([clients, ended, server.faults], [peers.length, [['expired', 1]], []])
})

/** From one tick to the next, and how much of that the process may have been held up. */
function gapsOf (ticks: readonly TickRecord[]): { ms: number, slack: number }[] {
  return ticks.slice(1).map(({ monotonicMs, heldUpMs }, index) => {
    const { monotonicMs: before = NaN, heldUpMs: heldUpBefore = NaN } = ticks[index] ?? {}
    const slack = Math.max(heldUpMs, heldUpBefore)
    return { ms: monotonicMs - before, slack: slack > LIMIT_MS / 2 ? slack : 0 }
  })
}
