import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type {
  FastifyInstance, FastifyReply, FastifyRequest, preCloseAsyncHookHandler, preCloseHookHandler
} from 'fastify'

/**
 * Options for `@fastify/websocket`. They are described here, so that a TypeScript project needs no
 * types of ws unless it uses ws itself.
 */
export interface WebsocketOptions {
  /** Called when a WebSocket route of your own throws, or one of its sockets fails. */
  errorHandler?: Methods['errorHandler'] | undefined
  /** Closes the WebSockets of your own routes before the HTTP server closes. */
  preClose?: preCloseHookHandler | preCloseAsyncHookHandler | undefined
  /** Options for the `WebSocketServer` of ws. They apply to all WebSocket routes of the server. */
  options?: WebsocketServerOptions | undefined
}

/** The options of the `WebSocketServer` of ws that are useful on a Fastify server. */
export interface WebsocketServerOptions {
  /**
   * Size in bytes of the largest inbound message: an integer from 1. Default: 1 MiB, or
   * `maxMessageBytes` if that is more.
   */
  maxPayload?: number | undefined
  /** The largest number of frames of one message: an integer from 1. Default 1024. */
  maxFragments?: number | undefined
  /** The most chunks that may wait to be parsed: an integer from 1. Default 262 144. */
  maxBufferedChunks?: number | undefined
  /**
   * Whether to offer compression (RFC 7692). Time sockets send uncompressed in any case.
   * Default false.
   */
  perMessageDeflate?: boolean | object | undefined
  /**
   * Whether `app.websocketServer.clients` lists the connections of your own routes. Default
   * true.
   */
  clientTracking?: boolean | undefined
  /** Whether ws answers pings. Default true. */
  autoPong?: boolean | undefined
  /** Whether ws emits several events in one turn of the event loop. Default true. */
  allowSynchronousEvents?: boolean | undefined
  /** Whether ws accepts text that is not valid UTF-8. Default false. */
  skipUTF8Validation?: boolean | undefined
  /** Accepts or refuses a handshake. Prefer the hooks of the route. */
  verifyClient?: Methods['verifyClient'] | undefined
  /** Chooses the subprotocol of a handshake. Time sockets choose theirs earlier, in a hook. */
  handleProtocols?: Methods['handleProtocols'] | undefined
  /** The class of the sockets, derived from `WebSocket` of ws. */
  WebSocket?: unknown
  /** The emitter of the `upgrade` events, in place of `app.server`. */
  server?: { on (event: string, listener: (...args: never[]) => void): unknown } | undefined
}

/** The members that the `WebSocket` of every version of ws has. */
interface ServerWebSocket {
  close (code?: number, reason?: string | Buffer): void
  terminate (): void
}

/** Methods, so that a function declared with the types of ws fits, too. */
interface Methods {
  errorHandler (
    this: FastifyInstance, error: Error, socket: ServerWebSocket, request: FastifyRequest,
    reply: FastifyReply
  ): void
  verifyClient (
    info: { origin: string, secure: boolean, req: IncomingMessage },
    callback: (
      isAccepted: boolean, status?: number, message?: string, headers?: OutgoingHttpHeaders
    ) => void
  ): boolean | void
  handleProtocols (protocols: Set<string>, request: IncomingMessage): string | false
}
