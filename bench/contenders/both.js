import websocket from '@fastify/websocket'
import { fastify } from 'fastify'
import { textOf } from '../message.js'

/** This plugin, and a loop over the same sockets. `fanOut` is told which way to take. */
export async function start ({ host, plugin }) {
  const { default: timeSocket } = await import(plugin)
  const app = fastify()
  await app.register(websocket)
  const sockets = new Set()
  app.websocketServer.on('connection', (ws) => {
    sockets.add(ws)
    ws.on('close', () => sockets.delete(ws))
  })
  // Pings would be counted as bytes of messages.
  const options = { interval: 86_400_000, immediate: false, heartbeat: false }
  await app.register(timeSocket, options)
  await app.listen({ port: 0, host })
  return {
    port: app.server.address().port,
    path: app.timeSocket.url,
    fanOut (seq, way) {
      const text = textOf(seq)
      if (way === 'ours') return app.timeSocket.broadcast(text)
      for (const ws of sockets) {
        if (ws.readyState === ws.OPEN) ws.send(text)
      }
    },
    count: () => app.timeSocket.clients.size
  }
}
