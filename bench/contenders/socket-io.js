import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { textOf } from '../message.js'

/** So long that no heartbeat falls into the run: the others have none. */
const NEVER_MS = 86_400_000

/** socket.io 4 over WebSocket only. */
export async function start ({ host }) {
  const server = createServer()
  const io = new Server(server, { transports: ['websocket'], pingInterval: NEVER_MS })
  server.listen(0, host)
  await once(server, 'listening')
  return {
    port: server.address().port,
    path: '/socket.io/?EIO=4&transport=websocket',
    fanOut: (seq) => io.emit('time', textOf(seq)),
    count: () => io.of('/').sockets.size
  }
}
