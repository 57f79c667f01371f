import { channel } from 'node:diagnostics_channel'
import { textOf } from '../message.js'
import { createApp } from './ours.js'

const CHANNELS = ['connect', 'close', 'tick', 'broadcast', 'refuse']
  .map((name) => channel(`fastify-time-socket:${name}`))

/**
 * This plugin, seen by nobody (`alone`, and `again` for a control), or with a listener on every
 * channel and a look at its statistics at each broadcast (`observed`).
 */
export async function start ({ host, plugin }) {
  const { default: timeSocket } = await import(plugin)
  const app = await createApp(timeSocket)
  await app.listen({ port: 0, host })
  const { timeSocket: { broadcast, clients, stats, url } } = app
  let heard = 0
  const hear = () => { heard++ }
  return {
    port: app.server.address().port,
    path: url,
    fanOut (seq, way) {
      for (const one of CHANNELS) {
        one.unsubscribe(hear)
        if (way === 'observed') one.subscribe(hear)
      }
      broadcast(textOf(seq))
      if (way === 'observed' && stats().clients + heard === 0) throw new Error('nothing was observed')
    },
    count: () => clients.size
  }
}
