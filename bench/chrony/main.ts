import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { ServerClock } from '../../src/browser/index.js'
import type { ServerClockOptions } from '../../src/browser/index.js'
import { readArguments } from './arguments.js'
import { findUdpPort, startChronyClient, startChronyServer } from './chronyd.js'
import type { Chronyd } from './chronyd.js'
import type { ProxiesSettings, ProxyPorts } from './proxies.js'
import { toTable } from './table.js'
import type { Reading, Results } from './table.js'

interface Runner<Clock> {
  readonly clock: Clock
  readonly results: Results
}

const CLOCKS: readonly [name: string, options: ServerClockOptions][] = [
  ['ServerClock', {}],
  ['ServerClock, 4 probes every 16 s', { sync: { probes: 4, every: 16_000 } }]
]
const CHRONIES: readonly [name: string, polls: string][] = [
  ['chrony, default polls', ''],
  ['chrony, every 16 s', 'minpoll 4 maxpoll 4']
]
const WARM_UP_MS = 60_000
const EVERY_MS = 1000
/** The most that reading all our clocks may take: more would be counted as their error. */
const READING_MS = 0.2

const { minutes, profiles, seed } = readArguments()
const folder = await mkdtemp(join(tmpdir(), 'chrony-'))
const children: ChildProcess[] = []
const clocks: Runner<ServerClock>[] = []
const chronies: Runner<Chronyd>[] = []
const servers: Chronyd[] = []

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => { cleanUp().finally(() => process.exit(1)) })
}
try {
  const ports = await startNetwork()
  for (const profile of profiles) await startContenders(profile, ports)
  await measure()
  process.stdout.write(toTable(profiles, [...clocks, ...chronies].map(({ results }) => results)))
} finally {
  await cleanUp()
}

/** Starts both servers, and before them a proxy for each protocol and profile. */
async function startNetwork (): Promise<ProxyPorts> {
  const [tcpPort] = await once(startProcess('server.js'), 'message') as [number]
  const udpPort = await findUdpPort()
  servers.push(await startChronyServer(folder, udpPort))
  const proxies = startProcess('proxies.js')
  proxies.send({ profiles, seed, tcpPort, udpPort } satisfies ProxiesSettings)
  const [ports] = await once(proxies, 'message') as [ProxyPorts]
  return ports
}

function startProcess (file: string): ChildProcess {
  const child = fork(new URL(file, import.meta.url))
  children.push(child)
  return child
}

async function startContenders (profile: string, ports: ProxyPorts): Promise<void> {
  const port = ports[profile]
  if (port === undefined) throw new Error(`no proxies for ${profile}`)
  for (const [name, options] of CLOCKS) {
    const environment = { WebSocket: WebSocket as unknown as typeof globalThis.WebSocket }
    const clock = new ServerClock(`http://127.0.0.1:${port.tcp}/time`, { ...options, environment })
    clocks.push({ clock, results: { name, profile, readings: [] } })
  }
  for (const [name, polls] of CHRONIES) {
    const clock = await startChronyClient(folder, port.udp, polls)
    chronies.push({ clock, results: { name, profile, readings: [] } })
  }
}

/** Reads all clocks once a second, from the second minute on. */
async function measure (): Promise<void> {
  const endMs = performance.now() + minutes * 60_000
  await sleep(WARM_UP_MS)
  while (performance.now() < endMs) {
    const nextMs = performance.now() + EVERY_MS
    const readings = await readClocks()
    clocks.forEach(({ results }, index) => results.readings.push(readings[index] as Reading))
    for (const { clock, results } of chronies) {
      const reading = await readChrony(clock)
      if (reading !== undefined) results.readings.push(reading)
    }
    await sleep(Math.max(0, nextMs - performance.now()))
  }
}

/** Both ends share one clock, so chrony's offset is its error. */
async function readChrony (clock: Chronyd): Promise<Reading | undefined> {
  const tracking = await clock.readTracking()
  return tracking && { errorMs: tracking.offsetMs, boundMs: tracking.boundMs }
}

/**
 * Reads all our clocks at a moment that the system's clock names exactly: `Date.now()` has whole
 * milliseconds, and is exact when it changes. Repeats readings during which this process waited.
 */
async function readClocks (): Promise<Reading[]> {
  for (;;) {
    const beforeMs = Date.now()
    let trueMs = beforeMs
    let unchangedMs = performance.now()
    while (trueMs === beforeMs) {
      unchangedMs = performance.now()
      trueMs = Date.now()
    }
    const readings = clocks.map(({ clock }) => {
      return { errorMs: clock.now() - trueMs, boundMs: clock.error }
    })
    if (performance.now() - unchangedMs < READING_MS) return readings
    await sleep(1)
  }
}

async function cleanUp (): Promise<void> {
  for (const { clock } of clocks) clock.close()
  for (const { clock } of chronies) clock.stop()
  for (const server of servers) server.stop()
  for (const child of children) child.kill()
  await rm(folder, { recursive: true, force: true })
}
