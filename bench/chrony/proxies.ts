// The network, as a process of its own: a TCP and a UDP proxy for each profile, with equal delays.
import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { createChanceAt } from '../../test/helpers/simulation/distributions.js'
import { createNetwork } from '../../test/helpers/simulation/network.js'
import { PROFILES } from '../../test/helpers/simulation/profiles.js'
import type { Profile, ProfileName } from '../../test/helpers/simulation/profiles.js'

/** What the process is told to set up. */
export interface ProxiesSettings {
  readonly profiles: readonly ProfileName[]
  readonly seed: number
  readonly tcpPort: number
  readonly udpPort: number
}

/** The ports of the proxies of each profile, which the process answers with. */
export type ProxyPorts = Readonly<Record<string, { readonly tcp: number, readonly udp: number }>>

/** Timers of Node.js are late by up to a millisecond: the rest is waited for in turns. */
const TIMER_SLACK_MS = 1.5
const startedMs = performance.now()

process.once('disconnect', () => process.exit())
const [{ profiles, seed, tcpPort, udpPort }] = await once(process, 'message') as [ProxiesSettings]
const entries = profiles.map(async (name) => [name, {
  tcp: await startTcpProxy(PROFILES[name], seed, tcpPort),
  udp: await startUdpProxy(PROFILES[name], seed, udpPort)
}])
process.send?.(Object.fromEntries(await Promise.all(entries)) satisfies ProxyPorts)

async function startTcpProxy (profile: Profile, seed: number, target: number): Promise<number> {
  const server = createServer({ noDelay: true }, (client) => {
    const network = createNetwork(profile, seed)
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    join(client, upstream, network.up)
    join(upstream, client, network.down)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

function join (from: Socket, to: Socket, arrivalOf: (sentMs: number) => number): void {
  from.on('data', (bytes) => deliverAt(arrivalOf(elapsed()), () => to.write(bytes)))
  from.on('error', () => {})
  from.on('close', () => to.destroy())
}

/** What TCP sends again is lost here. Each client gets a socket of its own to the server. */
async function startUdpProxy (profile: Profile, seed: number, target: number): Promise<number> {
  const network = createNetwork({ ...profile, loss: 0 }, seed)
  const isLost = (direction: number) =>
    createChanceAt(seed + direction, elapsed()).isHit(profile.loss)
  const sockets = new Map<string, ReturnType<typeof createSocket>>()

  const server = createSocket('udp4').bind(0, '127.0.0.1')
  server.on('message', (bytes, client) => {
    const upstream = upstreamOf(client)
    if (!isLost(1)) deliverAt(network.up(elapsed()), () => upstream.send(bytes, target, '127.0.0.1'))
  })
  await once(server, 'listening')
  return server.address().port

  function upstreamOf (client: RemoteInfo) {
    const key = `${client.address}:${client.port}`
    const known = sockets.get(key)
    if (known !== undefined) return known
    const upstream = createSocket('udp4')
    upstream.on('message', (bytes) => {
      if (isLost(2)) return
      deliverAt(network.down(elapsed()), () => server.send(bytes, client.port, client.address))
    })
    sockets.set(key, upstream)
    return upstream
  }
}

function elapsed (): number {
  return performance.now() - startedMs
}

function deliverAt (dueMs: number, deliver: () => void): void {
  const waitMs = dueMs - elapsed()
  if (waitMs <= 0) deliver()
  else if (waitMs > TIMER_SLACK_MS) setTimeout(deliverAt, waitMs - TIMER_SLACK_MS, dueMs, deliver)
  else setImmediate(deliverAt, dueMs, deliver)
}
