import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { serve } from '../peer.js'
import { nowMs } from '../usage.js'

/** A proxy that makes Redis distant: everything arrives later, in order. */
serve({
  /** @returns the port of the proxy. */
  async start ({ port, oneWayMs }) {
    const server = createServer({ noDelay: true }, (client) => {
      const redis = connect({ port, host: '127.0.0.1', noDelay: true })
      join(client, redis, oneWayMs)
      join(redis, client, oneWayMs)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return server.address().port
  }
})

function join (from, to, oneWayMs) {
  const chunks = []

  function pass () {
    while (chunks.length > 0 && chunks[0].dueMs <= nowMs()) to.write(chunks.shift().bytes)
    // A timer may be early.
    if (chunks.length > 0) setTimeout(pass, Math.max(0, chunks[0].dueMs - nowMs()))
  }

  from.on('data', (bytes) => {
    chunks.push({ bytes, dueMs: nowMs() + oneWayMs })
    if (chunks.length === 1) setTimeout(pass, oneWayMs)
  })
  from.on('error', () => {})
  from.on('close', () => to.destroy())
}
