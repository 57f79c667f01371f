/**
 * A program: clients that flood a server. Its settings are its argument, as JSON; when all are
 * done it reports what they were told, and ends.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { within } from '../network/wait.js'
import { upgradeRequest } from '../network/raw.js'
import { FLOODS } from './flood.js'
import type { Flood } from './flood.js'
import type { FloodersReport, FloodersSettings } from './flooders-process.js'
import { goodbyeIn } from './raw-client.js'

const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate'
const LIMIT_MS = 20_000

const settings = JSON.parse(String(process.argv[2])) as FloodersSettings
const flood: Flood = FLOODS[settings.flood]()
const sockets = await Promise.all(Array.from({ length: settings.clients }, open))
process.send?.('ready')
await once(process, 'message')
const goodbyes = await Promise.all(sockets.map(pour))
process.send?.({ goodbyes } satisfies FloodersReport)
process.disconnect()

/** Connects, and stops reading if it is one that does not. */
async function open (): Promise<Socket> {
  const socket = connect({ port: settings.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  socket.write(upgradeRequest('/time', { headers: flood.deflate === true ? [DEFLATE] : [] }))
  const [head] = await within(once(socket, 'data'), 'the answer')
  if (!String(head).startsWith('HTTP/1.1 101 ')) throw new Error(`got ${head}`)
  if (flood.reads === false) socket.pause()
  return socket
}

/** Sends all of the flood, and waits until the server ends the connection, but not for ever. */
async function pour (socket: Socket): Promise<string> {
  let came = Buffer.alloc(0)
  socket.on('data', (chunk) => { came = Buffer.concat([came, chunk]) })
  if (flood.reads === false) socket.pause()
  const ended = new Promise<void>((resolve) => {
    socket.on('end', resolve)
    socket.on('close', () => resolve())
  })
  if (flood.first !== undefined) socket.write(flood.first)
  for (let count = 0; count < flood.repeats && socket.writable; count++) {
    if (!socket.write(flood.bytes)) await drained(socket)
  }
  socket.resume()
  const hasEnded = await within(ended, 'the end', LIMIT_MS).then(() => true, () => false)
  socket.destroy()
  return hasEnded ? goodbyeIn(came) : 'still open'
}

/** Resolves when more can be written, or nothing any more. */
function drained (socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', () => resolve())
  })
}
