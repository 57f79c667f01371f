import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { within } from './wait.js'

/** Everything that a handshake takes but the host, and any headers. */
const HEADERS = [
  'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
]

export interface RequestOptions {
  method?: string
  host?: string
  /** Further header lines. */
  headers?: readonly string[]
}

/** The bytes of an upgrade, as a client writes them. */
export function upgradeRequest (
  path: string, { method = 'GET', host = '127.0.0.1', headers = [] }: RequestOptions = {}
): string {
  return request(path, { method, host, headers: [...HEADERS, ...headers] })
}

/** The bytes of a plain request. */
export function request (
  path: string, { method = 'GET', host = '127.0.0.1', headers = [] }: RequestOptions = {}
): string {
  return [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...headers, '', ''].join('\r\n')
}

/** The bytes of a short text message, masked with zeros as any client's must be masked. */
export function textFrame (text: string): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.of(0x81, 0x80 | payload.length, 0, 0, 0, 0), payload])
}

/** A close frame with code 1000. */
export const CLOSE_FRAME = Buffer.from('88820000000003e8', 'hex')

/** A TCP connection that keeps whatever comes. */
export interface RawPeer {
  readonly socket: Socket
  /** All that has come, each byte as a character. */
  readonly text: string
  /** Resolves when something has come, or the connection has ended. */
  readonly answered: Promise<void>
  /** Resolves, with all that came, when the connection has ended. */
  readonly ended: Promise<string>
}

/** Connects and writes these bytes at once, in one segment as far as that is in our hands. */
export function openRaw (
  port: number, bytes: string | Buffer = '', localAddress: string = '127.0.0.1'
): RawPeer {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: false })
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString('latin1') })
  socket.on('error', () => {})
  if (bytes !== '') socket.write(bytes)
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(text)))
  const came = new Promise<void>((resolve) => socket.once('data', () => resolve()))
  return {
    socket,
    get text () {
      return text
    },
    get answered () {
      return within(Promise.race([came, ended.then(() => {})]), 'an answer')
    },
    get ended () {
      return within(ended, 'the end of the connection')
    }
  }
}

/** @returns what the upgrade is answered: 101, or the status that refuses it. */
export async function tryUpgrade (
  port: number, localAddress: string, headers: readonly string[] = []
): Promise<number> {
  const peer = openRaw(port, upgradeRequest('/time', { headers }), localAddress)
  await peer.answered
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(peer.text)?.[1])
}

/** Writes bytes. @returns what comes back until the server ends the connection. */
export async function exchange (
  port: number, bytes: string | Buffer, localAddress?: string
): Promise<string> {
  return await openRaw(port, bytes, localAddress).ended
}
