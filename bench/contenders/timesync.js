import { once } from 'node:events'
import timesync from 'timesync/server/index.js'

/** timesync's own server, on `node:http`. */
export async function start ({ host }) {
  const server = timesync.createServer().listen(0, host)
  await once(server, 'listening')
  return { port: server.address().port, path: '/timesync', count: () => 0 }
}
