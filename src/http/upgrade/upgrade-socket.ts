import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'

/** The stream that `injectWS` has passed in place of a socket, by request. */
const injectedStreams = new WeakMap<IncomingMessage, Duplex>()

/**
 * A listener of `upgrade` that makes connections of `injectWS` close as real ones do. A socket
 * closes once both sides have ended it. The stream that `injectWS` passes does not, and its client
 * would stay listed until ws terminates it.
 */
export function closeInjectedOnEnd (request: IncomingMessage, stream: Duplex): void {
  if (stream instanceof Socket) return
  injectedStreams.set(request, stream)
  // Runs after ws's own listener, which ends its side in reply.
  stream.on('end', () => setImmediate(() => stream.destroy()))
}

/** The stream of a request's connection: its socket, or the stream that `injectWS` has passed. */
export function streamOf (request: IncomingMessage): Duplex | undefined {
  return request.socket instanceof Socket ? request.socket : injectedStreams.get(request)
}

/** Makes Fastify answer an upgrade as a plain request. The guard then ends the connection. */
export function answerAsPlain (app: FastifyInstance, request: IncomingMessage): void {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(request.socket)
  app.routing(request, response)
}

/**
 * True if a listener has stored the socket on the request under a new symbol, as
 * @fastify/websocket does.
 *
 * @param before the symbols that the request had before any listener was called.
 */
export function hasStoredSocket (request: IncomingMessage, before: ReadonlySet<symbol>): boolean {
  const fields = request as unknown as Record<symbol, unknown>
  return Object.getOwnPropertySymbols(request)
    .some((symbol) => !before.has(symbol) && fields[symbol] === request.socket)
}

/** Removes the socket and the head that a listener has stored on the request. */
export function removeStoredSocket (
  request: IncomingMessage, head: Buffer, before: ReadonlySet<symbol>
): void {
  const fields = request as unknown as Record<symbol, unknown>
  for (const symbol of Object.getOwnPropertySymbols(request)) {
    const isNew = !before.has(symbol)
    if (isNew && (fields[symbol] === request.socket || fields[symbol] === head)) {
      Reflect.deleteProperty(request, symbol)
    }
  }
}

/** Node.js keeps 2000 names and values of headers by default (`server.maxHeadersCount`). */
const MAX_HEADERS = 1000

/** True if Node.js may have dropped header fields, such as those that give the body's length. */
export function mayLackHeaders (
  { maxHeadersCount }: FastifyInstance['server'], { rawHeaders }: IncomingMessage
): boolean {
  return rawHeaders.length / 2 >= (maxHeadersCount ?? MAX_HEADERS)
}

/** The headers that ask for an upgrade: RFC 9110 §7.8 and, for h2c, RFC 7540 §3.2.1. */
const UPGRADE_HEADERS = new Set(['connection', 'upgrade', 'http2-settings'])

/**
 * Returns the connection to the HTTP server, which then reads the request again, now without the
 * headers that ask for an upgrade.
 *
 * @param keepAlive false closes the connection after the response. Must be true only in the first
 * call for a socket: in each call, the listeners of the server's `connection` event attach to the
 * socket once more.
 */
export function returnToServer (
  server: FastifyInstance['server'], request: IncomingMessage, head: Buffer, keepAlive: boolean
): void {
  const { socket, method, url, httpVersion, headers, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2)
    if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  const { connection = '' } = headers
  const isKeptAlive = httpVersion === '1.0' ? /\bkeep-alive\b/i : /^(?!.*\bclose\b)/i
  const isLast = !keepAlive || !isKeptAlive.test(connection)
  lines.push(`Connection: ${isLast ? 'close' : 'keep-alive'}`, '', '')
  // On a connection that closes, Node.js answers further requests with 400, ahead of this one.
  const bodyBytes = Number(headers['content-length'] ?? 0)
  const isChunked = headers['transfer-encoding'] !== undefined
  const rest = isLast && !isChunked ? head.subarray(0, bodyBytes) : head
  socket.unshift(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), rest]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}

/** The upgrade's protocol in lower case. */
export function protocolOf ({ headers: { upgrade = '' } }: IncomingMessage): string {
  return upgrade.trim().toLowerCase()
}

/** True if the request has a body, by its headers. */
export function announcesBody ({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}
