import { connect } from 'node:net'
import { upgradeRequest } from '../../helpers/network/raw.js'
import { within } from '../../helpers/network/wait.js'
import { frame, PING } from '../../helpers/hostile/frames.js'
import type { FrameCase } from './frame-case.js'
import { readFrames } from './read-frames.js'

/** The last that a client sends. Its answer tells that the connection is open, and all has come. */
const LAST = frame({ opcode: PING, payload: 'the last' })
const STILL_OPEN = 'pong the last'

/**
 * Writes what the case says, on a connection of its own. Never ends TCP first: RFC 6455 §7.1.1
 * leaves that to the server.
 *
 * @returns what came back, without the first tick.
 * @throws when neither the answer to a last ping comes, nor the end.
 */
export async function runFrames (
  port: number, path: string, { title, bytes }: FrameCase
): Promise<string[]> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let received: Buffer = Buffer.alloc(0)
  socket.write(upgradeRequest(path))
  const ended = new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('end', resolve)
    socket.on('data', (chunk) => {
      // The handshake has been answered: not before that may frames be sent (RFC 6455 §4.1).
      if (received.length === 0) socket.write(Buffer.concat([bytes, LAST]))
      received = Buffer.concat([received, chunk])
      if (readFrames(received).at(-1) === STILL_OPEN) resolve()
    })
  })
  try {
    await within(ended, `an answer to "${title}"`)
  } finally {
    socket.destroy()
  }
  const [tick, ...frames] = readFrames(received)
  if (tick?.startsWith('text ') !== true) throw new Error(`the first frame was ${tick}`)
  return frames.at(-1) === STILL_OPEN ? frames.slice(0, -1) : [...frames, 'ended']
}
