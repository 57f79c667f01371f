import type { WebSocket } from 'ws'

/** Is told what happens to a WebSocket. */
export interface SocketListener {
  /** A message came. Text is UTF-8. */
  received (data: Buffer, isBinary: boolean): void
  /** A ping came; ws has answered it, or terminated the connection if too many answers wait. */
  receivedPing (): void
  /** An answer to a ping came, with the ping's payload; or one that nobody asked for. */
  ponged (payload: Buffer): void
  /** ws found a frame that breaks the rules, and closes the connection. */
  failed (err: Error & { code?: string }): void
  /** The connection has ended, with the code and reason of the other side. Called once. */
  closed (code: number, reason: Buffer): void
}

/**
 * Attaches a listener. There is one function for each event, not one for each socket
 * and event: that would cost hundreds of bytes a client.
 *
 * That of @fastify/websocket for errors is removed: it logs what any client does wrong
 * as an error, and keeps the request alive for as long as the connection.
 */
export function listen (ws: WebSocket, listener: SocketListener): void {
  (ws as ListenedSocket)[kListener] = listener
  ws.removeAllListeners('error')
  ws.on('error', onError)
  ws.on('message', onMessage)
  ws.on('ping', onPing)
  ws.on('pong', onPong)
  ws.on('close', onClose)
}

const kListener = Symbol('time-socket-listener')

interface ListenedSocket extends WebSocket {
  [kListener]: SocketListener
}

function onError (this: WebSocket, err: Error): void {
  (this as ListenedSocket)[kListener].failed(err)
}

function onMessage (this: WebSocket, data: unknown, isBinary: boolean): void {
  // A Buffer: `binaryType` is left at ws's default.
  (this as ListenedSocket)[kListener].received(data as Buffer, isBinary)
}

function onPing (this: WebSocket): void {
  (this as ListenedSocket)[kListener].receivedPing()
}

function onPong (this: WebSocket, payload: Buffer): void {
  (this as ListenedSocket)[kListener].ponged(payload)
}

function onClose (this: WebSocket, code: number, reason: Buffer): void {
  (this as ListenedSocket)[kListener].closed(code, reason)
}
