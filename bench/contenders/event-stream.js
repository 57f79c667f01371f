import { once } from 'node:events'
import { createServer } from 'node:http'
import { textOf } from '../message.js'

/** Server-sent events, straight from `node:http`. */
export async function start ({ host }) {
  const clients = new Set()
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    clients.add(response)
    response.on('close', () => clients.delete(response))
  })
  server.listen(0, host)
  await once(server, 'listening')
  return {
    port: server.address().port,
    path: '/',
    fanOut (seq) {
      const event = `data: ${textOf(seq)}\n\n`
      for (const client of clients) client.write(event)
    },
    count: () => clients.size
  }
}
