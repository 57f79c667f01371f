import { STATUS_CODES } from 'node:http'
import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyError } from '@fastify/error'
import type { FastifyInstance } from 'fastify'
import { HandshakeTimeoutError, UnavailableError } from './errors.js'
import { endInjected } from './injected.js'

/** Ends connections that ask for an upgrade and do not become WebSockets. */
export interface UpgradeGuard {
  /** This one has become a WebSocket: others look after it now. */
  release (socket: unknown): void
}

/** That of each HTTP server, shared by all registrations. */
const guards = new WeakMap<object, UpgradeGuard & { timeoutMs: number }>()

/**
 * Node takes a socket whose client asks for an upgrade out of the HTTP server's care:
 * if it is refused, on whatever route, or never answered, it stays open for ever, and
 * `app.close()` waits for it. The guard ends it after the answer, after `timeoutMs`
 * without one (the longest that a registration asks for), and at shutdown.
 */
export function guardUpgrades (app: FastifyInstance, timeoutMs: number): UpgradeGuard {
  const existing = guards.get(app.server)
  if (existing !== undefined) {
    existing.timeoutMs = Math.max(existing.timeoutMs, timeoutMs)
    return existing
  }
  const pending = new Map<Socket, Pending>()
  const guard = { timeoutMs, release }
  let isClosing = false

  function onUpgrade (_request: unknown, stream: Duplex): void {
    if (!(stream instanceof Socket)) return
    const timer = setTimeout(expire, guard.timeoutMs, stream).unref()
    pending.set(stream, { timer, bytesBefore: stream.bytesWritten })
    stream.on('error', destroy)
    stream.on('close', onClose)
    if (isClosing) answer(stream, new UnavailableError())
    // By then @fastify/websocket, which listens too, has tied its response to the socket.
    else process.nextTick(endAfterResponse, stream)
  }

  function expire (socket: Socket): void {
    const isTaken = isAnswered(socket)
    release(socket)
    if (!isTaken) answer(socket, new HandshakeTimeoutError())
  }

  /** Whoever has written something has taken the socket over. Asked of pending ones only. */
  function isAnswered (socket: Socket): boolean {
    const { bytesBefore } = pending.get(socket) as Pending
    return socket.bytesWritten > bytesBefore
  }

  function release (socket: unknown): void {
    if (!(socket instanceof Socket)) return
    clearTimeout(pending.get(socket)?.timer)
    pending.delete(socket)
    socket.off('error', destroy)
    socket.off('close', onClose)
  }

  function onClose (this: Socket): void {
    release(this)
  }

  guards.set(app.server, guard)
  app.server.prependListener('upgrade', endInjected)
  // First, so that nobody else takes on what comes while closing.
  app.server.prependListener('upgrade', onUpgrade)
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => {
      isClosing = true
      for (const socket of pending.keys()) {
        if (!isAnswered(socket)) answer(socket, new UnavailableError())
      }
    })
  })
  return guard
}

interface Pending {
  readonly timer: NodeJS.Timeout
  /** What had been written before: a connection may have carried other requests. */
  readonly bytesBefore: number
}

function destroy (this: Socket): void {
  this.destroy()
}

/** Ends the socket once the answer to its upgrade has been written, if it gets one. */
function endAfterResponse (socket: Socket & { _httpMessage?: ServerResponse | null }): void {
  // Not documented, like `assignSocket`, which sets it: without it, the timeout ends the socket.
  const response = socket._httpMessage
  if (response?.writableFinished === true) socket.destroySoon()
  else response?.once('finish', () => socket.destroySoon())
}

/** Refuses an upgrade where there is no Fastify reply to do so, and ends the connection. */
function answer (socket: Socket, { statusCode = 503, code, message }: FastifyError): void {
  const error = STATUS_CODES[statusCode]
  const body = JSON.stringify({ statusCode, code, error, message })
  socket.write([
    `HTTP/1.1 ${statusCode} ${error}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body
  ].join('\r\n'))
  socket.destroySoon()
}
