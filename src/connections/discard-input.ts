import type { Socket } from 'node:net'

/**
 * A client that stops sending when it gets the close frame has at most this many bytes in flight.
 */
const MAX_DISCARDED_BYTES = 65_536
/**
 * Milliseconds between two reads: without reading, a reset of the connection would go unnoticed.
 */
const DISCARD_PERIOD_MS = 250

/**
 * Ends the server's side of a TCP connection, and detaches ws from its input: parsing an unwanted
 * flood would delay all other clients.
 *
 * The first 64 KiB are read and dropped, so that the end of the client's side is noticed at once.
 * After that, one chunk is read every 250 ms: TCP flow control stops the sender, the client can
 * still read the close code, and a reset is noticed. The caller must eventually destroy the socket.
 */
export function discardInput (socket: Socket): void {
  let leftBytes = MAX_DISCARDED_BYTES
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    leftBytes -= chunk.length
    if (leftBytes >= 0) return
    socket.pause()
    setTimeout(() => socket.resume(), DISCARD_PERIOD_MS).unref()
  })
  socket.resume().end()
}
