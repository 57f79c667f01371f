import { t as file, test } from 'tap'
import type { Test } from 'tap'
import WebSocket from 'ws'
import { ServerClock } from '../../../src/browser/index.js'
import { needsProxy, startProxy } from '../../helpers/documents/document-proxy.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { createRestrictiveProxy } from '../../helpers/network/restrictive-proxy.js'
import type { WebSocketPolicy } from '../../helpers/network/restrictive-proxy.js'
import { waitFor } from '../../helpers/network/wait.js'

/** Without `Upgrade` and `Connection`, nginx passes the request on as a plain one. */
const NGINX_WITHOUT_UPGRADE = `server {
  listen 443;
  location / { proxy_pass http://127.0.0.1:3000; proxy_set_header Host $http_host; }
}`
const RECOVERY_MS = 120_000
/** More events than a clock on a busy machine fires. */
const STORM = 20
/** Of both clocks' readings, on one machine: the bound must hold up to their grain. */
const GRAIN_MS = 1

/** Most of the time, each test waits for its own clock. */
file.jobs = 8
const atOnce = { buffered: true }

/** A server, whose time and whose clients are known. */
async function startServer (t: Test) {
  const { app, timeSocket } = await createTimeApp(t, { interval: 1000 })
  return { app, timeSocket, port: await listen(app) }
}

/**
 * A clock that keeps a record of its events, of how often it was off beyond its bound, and of steps
 * that its bounds before and after do not explain.
 */
function startClock (t: Test, port: number, now: () => number) {
  const startedMs = performance.now()
  const clock = new ServerClock(`http://127.0.0.1:${port}/time`, { environment: { WebSocket } as object })
  const events: string[] = []
  for (const name of ['open', 'close', 'step', 'refused'] as const) {
    clock.addEventListener(name, () => events.push(name))
  }
  let violations = 0
  let unexplainedSteps = 0
  let looks = 0
  let lastError = Infinity
  clock.addEventListener('step', ({ detail }) => {
    if (Math.abs(detail.by) > lastError + clock.error + GRAIN_MS) unexplainedSteps++
  })
  const timer = setInterval(() => {
    looks++
    // The process may be held up between any two readings.
    const beforeMs = now()
    const [shownMs, error] = [clock.now(), clock.error + GRAIN_MS]
    if (shownMs + error < beforeMs || shownMs - error > now()) violations++
    lastError = error
  }, 20)
  t.teardown(() => {
    clearInterval(timer)
    clock.close()
  })
  return {
    clock,
    events,
    /** After a second more. */
    async check (t: Test) {
      const until = looks + 50
      await waitFor(() => looks >= until, 'a second of looks')
      t.strictSame([violations, unexplainedSteps], [0, 0], `${looks} looks`)
    },
    async inStepBy (transport: string) {
      await waitFor(() => clock.transport === transport && clock.synced, transport, RECOVERY_MS)
      const seconds = (performance.now() - startedMs) / 1000
      t.comment(`${transport} after ${seconds.toFixed(2)} s, ± ${clock.error.toFixed(2)} ms`)
    }
  }
}

async function behind (t: Test, policy: WebSocketPolicy) {
  const { timeSocket, port, app } = await startServer(t)
  const proxy = await createRestrictiveProxy(t, port, policy)
  return { app, timeSocket, proxy, ...startClock(t, proxy.port, timeSocket.now) }
}

test('a clock behind an nginx that drops the upgrade syncs over HTTP', {
  ...atOnce, ...needsProxy('nginx')
}, async (t) => {
  const { timeSocket, port } = await startServer(t)
  const proxyPort = await startProxy(t, 'nginx', NGINX_WITHOUT_UPGRADE, port)
  const { inStepBy, events, check } = startClock(t, proxyPort, timeSocket.now)
  await inStepBy('http')
  // On a busy machine, the second answer may correct the first one by a step: see `check`.
  t.strictSame(events.filter((name) => name !== 'step'), ['open'])
  await check(t)
})

for (const [title, policy] of [['refuses upgrades', 'block'], ['swallows every frame', 'swallow']] as const) {
  test(`a clock behind a proxy that ${title} syncs over HTTP`, atOnce, async (t) => {
    const { inStepBy, events, check } = await behind(t, policy)
    await inStepBy('http')
    t.notOk(events.includes('refused'))
    await check(t)
  })
}

test('a clock behind a proxy that cuts each WebSocket after 5 s stays synced', atOnce, async (t) => {
  const { clock, inStepBy, proxy, check } = await behind(t, 5000)
  await inStepBy('websocket')
  await waitFor(() => proxy.upgradeCount > 2, 'the third WebSocket', RECOVERY_MS)
  await waitFor(() => clock.state === 'open', 'the clock being open', RECOVERY_MS)
  t.ok(Number.isFinite(clock.error), `± ${clock.error}`)
  await check(t)
})

test('a clock that was blocked at first returns to the WebSocket', atOnce, async (t) => {
  const { inStepBy, proxy, events, check } = await behind(t, 'block')
  await inStepBy('http')
  await waitFor(() => proxy.upgradeCount > 4, 'the fifth WebSocket', RECOVERY_MS)
  proxy.policy = 'pass'
  await inStepBy('websocket')
  t.ok(events.length <= STORM, `no storm of events: ${events.join()}`)
  await check(t)
})

test('a clock that is blocked later continues over HTTP', atOnce, async (t) => {
  const { inStepBy, proxy, events, check } = await behind(t, 'pass')
  await inStepBy('websocket')
  proxy.policy = 'block'
  proxy.cut()
  await inStepBy('http')
  t.ok(events.length <= STORM, `no storm of events: ${events.join()}`)
  await check(t)
})

// Alone, so that nobody takes the port meanwhile.
test('a clock whose server is down waits, and reconnects', async (t) => {
  const { app, timeSocket, port } = await startServer(t)
  const proxy = await createRestrictiveProxy(t, port, 'pass')
  await app.close()
  const { clock, events, inStepBy } = startClock(t, proxy.port, timeSocket.now)
  await waitFor(() => clock.state === 'waiting', 'waiting', RECOVERY_MS)
  t.strictSame([clock.synced, clock.error, events.includes('refused')], [false, Infinity, false])
  const again = await createTimeApp(t, { interval: 1000 })
  await again.app.listen({ port, host: '127.0.0.1' })
  await inStepBy('websocket')
  t.ok(Math.abs(clock.now() - again.timeSocket.now()) <= clock.error + GRAIN_MS)
})
