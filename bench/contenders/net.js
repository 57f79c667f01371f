import { once } from 'node:events'
import { createServer } from 'node:net'
import { textOf } from '../message.js'

/** One Buffer written to bare TCP sockets: the least that Node.js can do. No protocol at all. */
export async function start ({ host }) {
  const clients = new Set()
  const server = createServer({ noDelay: true }, (socket) => {
    clients.add(socket)
    // The load clients leave with a reset, so that no ports stay taken.
    socket.on('error', () => {})
    socket.on('close', () => clients.delete(socket))
    socket.resume()
  })
  server.listen({ port: 0, host, backlog: 4096 })
  await once(server, 'listening')
  return {
    port: server.address().port,
    path: '',
    fanOut (seq) {
      const bytes = Buffer.from(textOf(seq))
      for (const client of clients) client.write(bytes)
    },
    count: () => clients.size
  }
}
