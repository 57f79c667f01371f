import { fastify } from 'fastify'

/** This plugin, as built, for clients of `time.v1`: it ticks every `intervalMs`, and answers. */
export async function start ({ host, plugin, intervalMs }) {
  const { default: timeSocket } = await import(plugin)
  const app = await fastify().register(timeSocket, { interval: intervalMs, heartbeat: false })
  await app.listen({ port: 0, host })
  const { timeSocket: { clients, url } } = app
  return { port: app.server.address().port, path: url, count: () => clients.size }
}
