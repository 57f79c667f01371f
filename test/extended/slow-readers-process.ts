import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { pathOf } from '../helpers/root.js'

/** Clients of `slow-readers.soak.ts`, in a process of their own: its memory is not measured. */
const [scheme, port, pairs, frames, frameSize] = process.argv.slice(2)
const frameCount = Number(frames)
const frameBytes = Number(frameSize)
const pairCount = Number(pairs)

const HANDSHAKE = 'GET /time HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const NUMBER_LENGTH = 5

let finished = 0
const problems: string[] = []

function open (): Socket {
  const address = { host: '127.0.0.1', port: Number(port) }
  if (scheme === 'ws') return connect(address)
  const ca = readFileSync(pathOf('test/fixtures/tls/certificate.pem'))
  return connectTls({ ...address, ca, servername: 'localhost' })
}

/** Resolves when the server has answered the handshake; says no more to the socket then. */
function upgrade (socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.write(HANDSHAKE)
    socket.once('data', (chunk) => {
      const text = String(chunk)
      if (/^HTTP\/1\.1 101 [^]*\r\n\r\n$/.test(text)) resolve()
      else reject(new Error(`got ${text}`))
    })
  })
}

/** Checks that frames of one size come, numbered from 0, and all of them. */
function read (socket: Socket): void {
  let received = 0
  let head = ''
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const inFrame = received % frameBytes
      const numberStart = frameBytes - NUMBER_LENGTH
      if (inFrame < numberStart) {
        const skipped = Math.min(numberStart - inFrame, chunk.length - at)
        received += skipped
        at += skipped
        continue
      }
      head += String.fromCharCode(chunk[at] as number)
      received++
      at++
      if (head.length < NUMBER_LENGTH) continue
      const expected = received / frameBytes - 1
      if (Number(head) !== expected) problems.push(`frame ${head} came as number ${expected}`)
      head = ''
      if (expected === frameCount - 1) finish()
    }
  })
  socket.on('close', () => {
    problems.push(`a good client was cut off after ${received} bytes`)
    finish()
  })
}

function finish (): void {
  finished++
  if (finished === pairCount) process.send?.(problems)
}

for (let pair = 0; pair < pairCount; pair++) {
  const good = open()
  await upgrade(good)
  read(good)
  const slow = open()
  await upgrade(slow)
  slow.pause()
  slow.on('error', () => {})
}
process.send?.('connected')
process.on('disconnect', () => process.exit())
