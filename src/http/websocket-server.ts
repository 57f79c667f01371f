import type { Server } from 'node:http'
import Module from 'node:module'
import websocket from '@fastify/websocket'
import type { WebsocketPluginOptions } from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../observability/log.js'
import type { ResolvedOptions } from '../api/options.js'
import { sendReplyHeaders } from './handshake-headers.js'
import { refusePlainRoute } from './upgrade/plain-routes.js'
import type { UpgradeDispatch } from './upgrade/upgrade-dispatch.js'
import { withoutUndefined } from '../util/values.js'

/** The largest inbound message that ws assembles, for every WebSocket route of the scope. */
const MAX_PAYLOAD_BYTES = 1024 * 1024
/**
 * The maximum number of frames in one message. Each frame takes about 170 bytes until the last one
 * has arrived.
 */
const MAX_FRAGMENTS = 1024

/** A decorator of scopes that have the hook: further time sockets must not add it again. */
const kHasHook = Symbol('time-socket-plain-route-hook')

export interface WebsocketServerParts<Context> {
  options: ResolvedOptions<Context>
  dispatch: UpgradeDispatch
  log: Log
}

/** Registers @fastify/websocket with memory limits, unless the application has registered it. */
export async function registerWebsocketServer<Context> (
  app: FastifyInstance, { options, dispatch, log }: WebsocketServerParts<Context>
): Promise<void> {
  const { maxMessageBytes } = options
  // The public type does not refer to the types of ws.
  const given = options.websocket as WebsocketPluginOptions | undefined
  if (!app.hasDecorator('websocketServer')) {
    const maxPayload = Math.max(MAX_PAYLOAD_BYTES, maxMessageBytes)
    await app.register(websocket, {
      ...given,
      options: {
        server: dispatch.createEmitter() as Server,
        maxPayload,
        maxFragments: MAX_FRAGMENTS,
        ...withoutUndefined({ ...given?.options })
      }
    })
    app.addHook('onReady', async () => warnOfCopies(app, log))
  }
  if (!app.hasDecorator(kHasHook)) {
    app.decorate(kHasHook, true)
    app.addHook('onRequest', refusePlainRoute)
  }
  sendReplyHeaders(app.websocketServer)
  warnOfLimits(app.websocketServer.options, maxMessageBytes, log)
}

/** The files of @fastify/websocket, by their paths in node_modules. */
const WEBSOCKET_FILE = /[\\/]@fastify[\\/]websocket[\\/]index\.js$/

/**
 * Warns if another copy of @fastify/websocket, in another scope, also listens to the server's
 * upgrades. The copies do not recognize each other's upgrades: only this plugin's copy gets them.
 */
function warnOfCopies (app: FastifyInstance, log: Log): void {
  // Not createRequire().cache, which is the same object: webpack replaces calls of createRequire.
  const { _cache = {} } = Module as { _cache?: object }
  const copies = Object.keys(_cache).filter((path) => WEBSOCKET_FILE.test(path))
  if (copies.length < 2 || app.server.listenerCount('upgrade') < 2) return
  log.warn({ copies }, 'two copies of @fastify/websocket are loaded, and WebSocket routes of one ' +
    'of them may answer 404: install one version, or register yours before this plugin')
}

/** Warns if the `maxPayload` that the application has set conflicts with `maxMessageBytes`. */
function warnOfLimits ({ maxPayload = 0 }: ServerOptions, maxMessageBytes: number, log: Log): void {
  // As ws does: a value that is not a positive 32-bit integer means no limit.
  const maxBytes = (maxPayload | 0) > 0 ? maxPayload | 0 : Infinity
  const fields = { maxPayload, maxMessageBytes }
  if (maxBytes < maxMessageBytes) {
    log.warn(fields, 'maxPayload of @fastify/websocket applies, because it is smaller than ' +
      'maxMessageBytes')
  } else if (maxBytes > Math.max(MAX_PAYLOAD_BYTES, maxMessageBytes)) {
    log.warn(fields, 'maxPayload of @fastify/websocket lets clients fill the memory before ' +
      'maxMessageBytes is checked')
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
