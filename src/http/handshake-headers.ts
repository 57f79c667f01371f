import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, preHandlerHookHandler } from 'fastify'
import type { WebSocketServer } from 'ws'
import { toError } from './admission.js'

/**
 * Header fields that have no place in a 101, or that ws writes itself: those of a body
 * (RFC 9110 §8.6), of the connection (§7.6.1), and of the handshake (RFC 6455 §4.2.2).
 */
const OMITTED = new RegExp('^(content-(length|type|encoding)|transfer-encoding|trailer|connection|' +
  'keep-alive|proxy-connection|upgrade|sec-websocket-.*)$')

const kHeaderLines = Symbol('time-socket-header-lines')

interface UpgradeMessage extends IncomingMessage {
  [kHeaderLines]?: readonly string[]
}

/** The `WebSocketServer`s that have the listener. */
const extended = new WeakSet<WebSocketServer>()

/**
 * The route's last hook before the 101: keeps the headers that hooks have set with `reply.header`.
 * Fastify does not send them, because @fastify/websocket takes the reply over.
 */
export const keepReplyHeaders: preHandlerHookHandler = (request, reply, done) => {
  if (!request.ws) return done()
  const lines: string[] = []
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    try {
      lines.push(...headerLines(name, value))
    } catch (err) {
      // Node.js would not send the answer to this error with the same header.
      reply.removeHeader(name)
      return done(toError(err))
    }
  }
  if (lines.length > 0) (request.raw as UpgradeMessage)[kHeaderLines] = lines
  done()
}

/** Makes this server send the headers that `keepReplyHeaders` has kept. */
export function sendReplyHeaders (server: WebSocketServer): void {
  if (extended.has(server)) return
  extended.add(server)
  server.on('headers', (lines, request: UpgradeMessage) => {
    lines.push(...request[kHeaderLines] ?? [])
  })
}

/** @throws {TypeError} for a name or a value that no header may have, as Node.js does. */
function headerLines (name: string, given: HeaderValue): string[] {
  if (given === undefined || OMITTED.test(name)) return []
  validateHeaderName(name)
  return [given].flat().map((value) => {
    validateHeaderValue(name, String(value))
    return `${name}: ${value}`
  })
}

type HeaderValue = ReturnType<FastifyReply['getHeaders']>[string]
