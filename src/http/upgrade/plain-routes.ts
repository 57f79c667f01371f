import type { FastifyRequest, onRequestHookHandler, RouteOptions } from 'fastify'

/** A registered symbol, because the hooks of one copy of this package read another's marks. */
const kPlain = Symbol.for('fastify-time-socket:plain-route')

/** An `onRoute` hook that marks the routes that are not WebSocket routes. */
export function markPlainRoute (route: RouteOptions): void {
  if (route.websocket === true || route.wsHandler !== undefined) return
  route.config = { ...route.config, [kPlain]: true }
}

/** True if a request was routed to a route that has the mark. */
function isPlainRoute ({ routeOptions: { config } }: FastifyRequest): boolean {
  return (config as { [kPlain]?: boolean })[kPlain] === true
}

/** True if an upgrade request was routed to a WebSocket route. */
export function hasWebsocketRoute (request: FastifyRequest): boolean {
  return !request.is404 && !isPlainRoute(request)
}

/**
 * An `onRequest` hook that answers 404 to a WebSocket handshake for a plain route. Otherwise
 * @fastify/websocket would open a WebSocket only to close it, outside of all limits. Must run after
 * the hook of @fastify/websocket, which sets `request.ws`.
 */
export const refusePlainRoute: onRequestHookHandler = (request, reply, done) => {
  if (request.ws && isPlainRoute(request)) reply.callNotFound()
  else done()
}
