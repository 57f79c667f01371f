import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { t as file, test } from 'tap'
import type { Test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { needsProxy, startProxy } from '../../helpers/documents/document-proxy.js'
import type { ProxyName } from '../../helpers/documents/document-proxy.js'
import { documentAt } from '../../helpers/documents/documents.js'
import { parseBlocks } from '../../helpers/documents/markdown.js'
import { TICKLESS_INTERVAL_MS } from '../../helpers/network/app.js'
import { connect, refused } from '../../helpers/network/peer.js'

const BLOCKS = parseBlocks(documentAt('docs/guide/origins-and-proxies.md'))

/** Most of the time, each test waits for its own proxy. */
const JOBS = 3
const atOnce = { buffered: true }
file.jobs = 2

for (const name of ['nginx', 'haproxy'] as const) {
  test(`the documented configuration of ${name}`, {
    ...atOnce, ...needsProxy(name)
  }, async (t) => {
    t.jobs = JOBS
    t.test('admits a page of the same host, under a prefix, with TLS', atOnce, async (t) => {
      const { app, port, url, options } = await start(t, name, {})
      const peer = await connect(url, options(`https://localhost:${port}`))
      await peer.received(1)
      const [client] = app.timeSocket.clients.values()
      t.equal(client?.ip, '127.0.0.1')
      const { status } = await refused(url, [], options('https://example.com'))
      t.equal(status, 403)
    })

    t.test('cuts a connection without a heartbeat, and keeps one on which only heartbeats are sent', atOnce, async (t) => {
      const pinged = await start(t, name, { heartbeat: { interval: 500, timeout: 60_000 } })
      const silent = await start(t, name, { heartbeat: false })
      const open = async ({ port, url, options }: typeof pinged) => {
        const peer = await connect(url, options(`https://localhost:${port}`))
        await peer.received(1)
        return peer
      }
      const kept = await open(pinged)
      const cut = await open(silent)
      const [code] = await cut.closed
      t.equal(code, 1006)
      t.equal(pinged.app.timeSocket.clients.size, 1)
      t.equal(kept.ws.readyState, kept.ws.OPEN)
    })
  })
}

/** A server with no tick but the immediate one, and the proxy before it. */
async function start (t: Test, name: ProxyName, options: TimeSocketOptions) {
  const app = fastify({ trustProxy: '127.0.0.1' })
  t.teardown(() => app.close())
  await app.register(async (scope) => {
    await scope.register(timeSocket, { url: '/time', interval: TICKLESS_INTERVAL_MS, ...options })
    app.decorate('timeSocket', scope.timeSocket)
  }, { prefix: '/app' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port: serverPort } = app.server.address() as AddressInfo
  const documented = BLOCKS.find(({ language }) => language === name)?.code ?? ''
  const port = await startProxy(t, name, documented, serverPort)
  return {
    app,
    port,
    url: `wss://localhost:${port}/app/time`,
    options: (origin: string) => ({ origin, rejectUnauthorized: false, family: 4 as const })
  }
}
