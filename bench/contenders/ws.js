import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import { textOf } from '../message.js'

/** ws alone, and the loop of its documentation. What the others are compared with. */
export async function start ({ host }) {
  const server = new WebSocketServer({ port: 0, host })
  await once(server, 'listening')
  return {
    port: server.address().port,
    path: '/',
    fanOut (seq) {
      const text = textOf(seq)
      for (const client of server.clients) {
        if (client.readyState === client.OPEN) client.send(text)
      }
    },
    count: () => server.clients.size
  }
}
