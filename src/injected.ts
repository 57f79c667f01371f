import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * For the `upgrade` event: makes connections of `injectWS` end as real ones do. A socket
 * closes once both sides have ended it; the stream that is injected in its place does
 * not, and the client would stay listed until ws gives up.
 */
export function endInjected (_request: unknown, stream: Duplex): void {
  if (stream instanceof Socket) return
  // After ws's own listener, which answers the end with an end.
  stream.on('end', () => setImmediate(() => stream.destroy()))
}
