import type { Server } from 'node:http'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../observability/log.js'
import type { ResolvedOptions } from '../api/options.js'
import type { UpgradeDispatch } from './upgrade-dispatch.js'
import { withoutUndefined } from '../util/values.js'

/** The largest inbound message that ws assembles, for every WebSocket route of the scope. */
const MAX_PAYLOAD_BYTES = 1024 * 1024
/** The most frames of one message. Each takes about 170 bytes until the last one has arrived. */
const MAX_FRAGMENTS = 1024

/** What `registerWebsocketServer` needs. */
export interface WebsocketServerParts<Context> {
  options: ResolvedOptions<Context>
  dispatch: UpgradeDispatch
  log: Log
}

/** Registers @fastify/websocket with limits of memory, unless the application has registered it. */
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

/** Warns if the `maxPayload` that the application has set conflicts with `maxMessageBytes`. */
function warnOfLimits ({ maxPayload = 0 }: ServerOptions, maxMessageBytes: number, log: Log): void {
  // As ws does: a value that is no positive 32-bit integer means no limit.
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
 * Removes a connection from the clients of the `WebSocketServer`: `preClose` of @fastify/websocket
 * would close it without a code. Also removes ws's own `close` listener, which is then useless
 * and takes 160 bytes per client. It is the first listener, because ws attaches it before it emits
 * the connection.
 */
export function removeFromWebsocketServer ({ clients }: WebSocketServer, ws: WebSocket): void {
  if (clients?.delete(ws) !== true) return
  for (const listener of ws.listeners('close').slice(0, 1)) {
    ws.off('close', listener as () => void)
  }
}
