import websocket from '@fastify/websocket'
import { fastify } from 'fastify'
import { textOf } from '../message.js'

/** A plain route of @fastify/websocket, and the loop of its documentation. */
export async function start ({ host }) {
  const app = fastify()
  await app.register(websocket)
  app.get('/time', { websocket: true }, () => {})
  await app.listen({ port: 0, host })
  const { clients } = app.websocketServer
  return {
    port: app.server.address().port,
    path: '/time',
    fanOut (seq) {
      const text = textOf(seq)
      for (const client of clients) {
        if (client.readyState === client.OPEN) client.send(text)
      }
    },
    count: () => clients.size
  }
}
