import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { slopeOf } from '../helpers/network/slope.js'
import { waitFor } from '../helpers/network/wait.js'
import type { ComingAndGoingSettings } from '../helpers/hostile/coming-and-going.js'
import { startServer } from '../helpers/hostile/server-process.js'

/** `MINUTES=60` looks longer. */
const MINUTES = Number(process.env['MINUTES'] ?? 10)
const WARM_UP_MINUTES = Math.min(2, MINUTES / 2)
const EVERY_MS = 10_000
const MAX_MIB_PER_MINUTE = 1
const MIB = 1024 * 1024
const STAYING = 500
const COMING_PER_SECOND = 20

const PROGRAM = fileURLToPath(new URL('../helpers/hostile/coming-and-going.js', import.meta.url))

test(`in ${MINUTES} minutes with ${STAYING} clients and ${COMING_PER_SECOND} clients a second that connect ` +
  `and leave, memory grows by at most ${MAX_MIB_PER_MINUTE} MiB a minute`, {
  timeout: (MINUTES + 2) * 60_000
}, async (t) => {
  const server = await startServer(t, {
    kind: 'time-socket',
    interval: 1000,
    heartbeat: { interval: 5000, timeout: 3000 },
    broadcastEveryMs: 100
  })
  const settings: ComingAndGoingSettings = {
    port: server.port, staying: STAYING, comingPerSecond: COMING_PER_SECOND
  }
  const clients = fork(PROGRAM, [JSON.stringify(settings)])
  t.teardown(() => clients.kill())
  const said: unknown[] = []
  clients.on('message', (message) => said.push(message))
  await once(clients, 'message')

  const [rss, heap]: [number[], number[]] = [[], []]
  for (let ms = 0; ms < MINUTES * 60_000; ms += EVERY_MS) {
    await sleep(EVERY_MS)
    const memory = await server.memory()
    rss.push(memory.rss / MIB)
    heap.push(memory.heap / MIB)
  }
  const [rssSlope = NaN, heapSlope = NaN] = [rss, heap].map((values) =>
    slopeOf(values.slice(WARM_UP_MINUTES * 60_000 / EVERY_MS)) * 60_000 / EVERY_MS)
  const { stats } = await server.state()
  const gone = once(clients, 'exit')
  clients.kill()
  await gone
  await waitFor(async () => (await server.state()).clients === 0, 'the end of all')
  const { heap: heapAfter } = await server.memory()

  const shown = (values: number[]) => values.map((value) => value.toFixed(1)).join(' ')
  t.comment(`RSS ${rssSlope.toFixed(3)} MiB a minute: ${shown(rss)}`)
  t.comment(`heap ${heapSlope.toFixed(3)} MiB a minute: ${shown(heap)}, ${heapAfter / MIB} in the end`)
  t.comment(JSON.stringify(stats))
  t.strictSame([server.faults, said], [[], ['connected']])
  t.ok(rssSlope <= MAX_MIB_PER_MINUTE, `RSS: ${rssSlope} MiB a minute`)
  t.ok(heapSlope <= MAX_MIB_PER_MINUTE, `heap: ${heapSlope} MiB a minute`)
})
