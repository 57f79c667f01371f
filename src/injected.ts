import type { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/**
 * Makes connections of `injectWS` end as real ones do. A socket closes once both
 * sides have ended it; the stream that is injected in its place does not, and the
 * client would stay listed until ws gives up.
 *
 * @param server what upgrades are announced on.
 */
export function endInjected (app: FastifyInstance, server: EventEmitter): void {
  if (server.listeners('upgrade').includes(onUpgrade)) return
  server.on('upgrade', onUpgrade)
  // Alone, it would take an upgrade that comes late away from Node, which refuses it.
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => { server.off('upgrade', onUpgrade) })
  })
}

function onUpgrade (_request: unknown, stream: Duplex): void {
  if (stream instanceof Socket) return
  // After ws's own listener, which answers the end with an end.
  stream.on('end', () => setImmediate(() => stream.destroy()))
}
