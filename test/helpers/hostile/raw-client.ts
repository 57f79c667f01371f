import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { https } from '../network/tls.js'

/** How a client behaves once it is connected. */
export type Conduct =
  /** Reads, and answers a close frame. */
  'good' |
  /** Reads, and answers nothing. */
  'mute' |
  /** Asks for more than the kernel holds, and does not read it. */
  'slow'

/** A WebSocket client of a few kilobytes: there may be ten thousand of them. */
export interface RawClient {
  /** Resolves with the status of the handshake, `refused`, or `none` if it ends without one. */
  readonly answer: Promise<string>
  /** Code and reason of the server's close frame; `none` until there is one. */
  readonly goodbye: string
  readonly hasEnded: boolean
  destroy (): void
}

export interface RawClientOptions {
  port: number
  isTls: boolean
  path?: string
  conduct: Conduct
}

/** The text message `flood`, and an empty close frame, with an all-zero mask. */
const FLOOD = Buffer.from('818500000000666c6f6f64', 'hex')
const CLOSE = Buffer.from('888000000000', 'hex')
const END_OF_HEAD = '\r\n\r\n'

export function connectRaw (
  { port, isTls, path = '/time', conduct }: RawClientOptions
): RawClient {
  const socket = openSocket(port, isTls)
  let goodbye = 'none'
  let hasEnded = false
  let rest: Buffer = Buffer.alloc(0)
  let status: string | undefined
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==${END_OF_HEAD}`)

  const answer = new Promise<string>((resolve) => {
    socket.on('error', (err: NodeJS.ErrnoException) => {
      if (err.code === 'ECONNREFUSED') resolve('refused')
    })
    socket.on('close', () => {
      hasEnded = true
      resolve('none')
    })
    socket.on('data', (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      if (status === undefined) readHead(resolve)
      if (status === '101') readFrames()
    })
  })

  function readHead (resolve: (status: string) => void): void {
    const end = rest.indexOf(END_OF_HEAD)
    if (end < 0) return
    status = rest.toString('latin1', 9, 12)
    rest = rest.subarray(end + END_OF_HEAD.length)
    resolve(status)
    if (status !== '101' || conduct !== 'slow') return
    socket.write(FLOOD)
    socket.pause()
  }

  function readFrames (): void {
    for (let frame = readFrame(rest); frame !== undefined; frame = readFrame(rest)) {
      rest = rest.subarray(frame.length)
      if (!frame.isClose) continue
      goodbye = goodbyeOf(frame.payload)
      if (conduct === 'good') socket.end(CLOSE)
    }
  }

  return {
    answer,
    get goodbye () {
      return goodbye
    },
    get hasEnded () {
      return hasEnded
    },
    destroy () {
      socket.destroy()
    }
  }
}

function openSocket (port: number, isTls: boolean): Socket {
  const options = { port, host: '127.0.0.1' }
  return isTls ? connectTls({ ...options, ca: https.cert }) : connectTcp(options)
}

/** The code and reason of a close frame. */
function goodbyeOf (payload: Buffer): string {
  const [code, reason] = [payload.subarray(0, 2), payload.subarray(2)]
  return `${code.length < 2 ? 1005 : code.readUInt16BE()} ${reason}`.trim()
}

/** Code and reason of the close frame among these frames; `none` if there is none. */
export function goodbyeIn (bytes: Buffer): string {
  for (let rest = bytes; ;) {
    const frame = readFrame(rest)
    if (frame === undefined) return 'none'
    if (frame.isClose) return goodbyeOf(frame.payload)
    rest = rest.subarray(frame.length)
  }
}

/** The frame at the start of these bytes, if it is whole: RFC 6455 §5.2, without a mask. */
function readFrame (bytes: Buffer) {
  const { 0: first = 0, 1: short = 0 } = bytes
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start) return undefined
  const payloadBytes = start === 2
    ? short
    : start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  const length = start + payloadBytes
  if (bytes.length < length) return undefined
  return { isClose: (first & 0x0f) === 8, length, payload: bytes.subarray(start, length) }
}
