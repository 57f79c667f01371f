import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What `injectWS` gave the application in place of a socket, by request. */
const streams = new WeakMap<IncomingMessage, Duplex>()

/**
 * For the `upgrade` event: makes connections of `injectWS` end as real ones do. A socket
 * closes once both sides have ended it; the stream that is injected in its place does
 * not, and the client would stay listed until ws gives up.
 */
export function endInjected (request: IncomingMessage, stream: Duplex): void {
  if (stream instanceof Socket) return
  streams.set(request, stream)
  // After ws's own listener, which answers the end with an end.
  stream.on('end', () => setImmediate(() => stream.destroy()))
}

/** What carries the connection of a request: its socket, or what was injected in its place. */
export function streamOf (request: IncomingMessage): Duplex | undefined {
  return request.socket instanceof Socket ? request.socket : streams.get(request)
}
