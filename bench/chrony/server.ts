// The time server, as a process of its own: the plugin as built. Answers with its port.
import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import type { FastifyPluginAsync } from 'fastify'

interface Options {
  readonly interval: number
  readonly serveClient: boolean
}

const PLUGIN = new URL('../../../../../dist/index.js', import.meta.url)

const { default: timeSocket }: { default: FastifyPluginAsync<Options> } = await import(PLUGIN.href)
const app = fastify()
await app.register(timeSocket, { interval: 5000, serveClient: false })
await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.((app.server.address() as AddressInfo).port)
process.once('disconnect', () => process.exit())
