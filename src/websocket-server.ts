import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import websocket from '@fastify/websocket'
import type { WebsocketPluginOptions } from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { WebSocket, WebSocketServer } from 'ws'
import { endInjected } from './injected.js'

/** The largest inbound message that ws assembles at all, for every WebSocket route of the scope. */
const MAX_PAYLOAD_BYTES = 1024 * 1024

/** HTTP servers whose upgrades are already handed to Fastify, by a scope that we registered. */
const served = new WeakSet<object>()

/** Registers @fastify/websocket, unless the application has it already. */
export async function registerWebsocketServer (
  app: FastifyInstance, given: WebsocketPluginOptions | undefined
): Promise<void> {
  if (app.hasDecorator('websocketServer')) return
  const options = { maxPayload: MAX_PAYLOAD_BYTES, ...given?.options }
  // In a sibling scope of one that has it. A second listener would hand each
  // upgrade to Fastify twice; without one, upgrades still find every route.
  if (served.has(app.server)) options.server = new EventEmitter().on('upgrade', endInjected) as Server
  served.add(app.server)
  await app.register(websocket, { ...given, options })
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
