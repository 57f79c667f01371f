import type { Server } from 'node:http'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../observability/log.js'
import type { ResolvedOptions } from '../api/options.js'
import type { UpgradeDispatch } from './upgrade-dispatch.js'
import { withoutUndefined } from '../util/values.js'

/** The largest inbound message that ws assembles at all, for every WebSocket route of the scope. */
const MAX_PAYLOAD_BYTES = 1024 * 1024
/** Into so many frames it may be cut. Each costs some 170 bytes until the last is there. */
const MAX_FRAGMENTS = 1024

export interface WebsocketServerParts<Context> {
  options: ResolvedOptions<Context>
  dispatch: UpgradeDispatch
  log: Log
}

/** Registers @fastify/websocket, unless the application has it already, with limits of its own. */
export async function registerWebsocketServer<Context> (
  app: FastifyInstance, { options, dispatch, log }: WebsocketServerParts<Context>
): Promise<void> {
  const { websocket: given, maxMessageBytes } = options
  if (!app.hasDecorator('websocketServer')) {
    const maxPayload = Math.max(MAX_PAYLOAD_BYTES, maxMessageBytes)
    await app.register(websocket, {
      ...given,
      options: {
        server: dispatch.createSource() as Server,
        maxPayload,
        maxFragments: MAX_FRAGMENTS,
        ...withoutUndefined({ ...given?.options })
      }
    })
  }
  warnOfLimits(app.websocketServer.options, maxMessageBytes, log)
}

/** What somebody else has set holds for the whole server, and comes before ours. */
function warnOfLimits ({ maxPayload = 0 }: ServerOptions, maxMessageBytes: number, log: Log): void {
  // As ws takes it: what is no positive 32-bit integer is no limit.
  const maxBytes = (maxPayload | 0) > 0 ? maxPayload | 0 : Infinity
  const fields = { maxPayload, maxMessageBytes }
  if (maxBytes < maxMessageBytes) {
    log.warn(fields, 'maxPayload of @fastify/websocket is smaller than maxMessageBytes, and holds')
  } else if (maxBytes > Math.max(MAX_PAYLOAD_BYTES, maxMessageBytes)) {
    log.warn(fields, 'maxPayload of @fastify/websocket lets clients fill the memory before ' +
      'maxMessageBytes is looked at')
  }
}

/**
 * Takes a connection from the server's own bookkeeping: `preClose` of @fastify/websocket would
 * close it, without a code. The first of its `close` listeners is ws's, attached before anybody
 * else is told of the connection. It would only take it out again, and costs 160 bytes a client.
 */
export function disown ({ clients }: WebSocketServer, ws: WebSocket): void {
  if (clients?.delete(ws) !== true) return
  for (const listener of ws.listeners('close').slice(0, 1)) {
    ws.off('close', listener as () => void)
  }
}
