import { fastify } from 'fastify'
import { textOf } from '../message.js'

/** So long that no tick and no scheduled message falls into the run. */
const NEVER_MS = 86_400_000
const OPTIONS = { interval: NEVER_MS, immediate: false, heartbeat: false }
const FILTERED_COUNT = 10

/**
 * This plugin with many registrations, scheduled messages, or contexts. Clients connect to the
 * first registration. `fanOut` sends to `all`; to all that match `where`, which are all; or, before
 * that, ten messages to nobody, each of which compares every context (`filtered`).
 */
export async function start ({ host, plugin, registrations = 1, scheduled = 0 }) {
  const { default: timeSocket } = await import(plugin)
  const app = fastify()
  let connected = 0
  await app.register(timeSocket, {
    ...OPTIONS, url: '/time', context: () => ({ group: 'all', user: connected++ })
  })
  for (let index = 1; index < registrations; index++) {
    await app.register(timeSocket, { ...OPTIONS, url: `/time/${index}`, namespace: `time${index}` })
  }
  await app.listen({ port: 0, host })
  const { broadcast, clients, now, url } = app.timeSocket
  for (let index = 0; index < scheduled; index++) {
    broadcast(textOf(index), { at: now() + NEVER_MS, key: String(index) })
  }
  return {
    port: app.server.address().port,
    path: url,
    fanOut (seq, way) {
      if (way === 'filtered') {
        for (let count = 0; count < FILTERED_COUNT; count++) {
          broadcast(textOf(seq), { where: { group: 'none' } })
        }
      }
      broadcast(textOf(seq), way === 'where' ? { where: { group: 'all' } } : {})
    },
    count: () => clients.size
  }
}
