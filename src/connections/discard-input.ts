import type { Socket } from 'node:net'

/** A client that stops when it is told to has no more than that on its way. */
const MAX_DISCARDED_BYTES = 65_536

/**
 * Ends our side of a WebSocket's connection, and takes what still comes from whoever parsed it:
 * to take a flood apart that nobody wants would hold all others up.
 *
 * Some of it is read and dropped, so that the end of the client's side is seen at once. If more
 * comes, nothing more is read: whoever sends it is held up by TCP, and can still read why.
 * Somebody must destroy the socket in the end.
 */
export function discardInput (socket: Socket): void {
  let leftBytes = MAX_DISCARDED_BYTES
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    leftBytes -= chunk.length
    if (leftBytes < 0) socket.pause()
  })
  socket.resume().end()
}
