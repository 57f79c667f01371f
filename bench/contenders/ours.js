import { fastify } from 'fastify'
import { textOf } from '../message.js'

/** So long that no tick falls into the run: what is measured is a broadcast. */
const NEVER_MS = 86_400_000
const OPTIONS = { interval: NEVER_MS, immediate: false }

/** This plugin, as built: `broadcast`, which takes the same way as a tick. */
export async function start ({ host, plugin }) {
  const { default: timeSocket } = await import(plugin)
  const app = await createApp(timeSocket)
  await app.listen({ port: 0, host })
  const { timeSocket: { broadcast, clients, url } } = app
  return {
    port: app.server.address().port,
    path: url,
    fanOut: (seq) => broadcast(textOf(seq)),
    count: () => clients.size
  }
}

/** Without heartbeats, as the others; versions before there were any refuse that option. */
export async function createApp (timeSocket) {
  try {
    return await fastify().register(timeSocket, { ...OPTIONS, heartbeat: false })
  } catch (err) {
    if (err.code !== 'FST_TIME_SOCKET_INVALID_OPTION') throw err
    return await fastify().register(timeSocket, OPTIONS)
  }
}
