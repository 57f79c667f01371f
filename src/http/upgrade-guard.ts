import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { Duplex } from 'node:stream'
import type { FastifyError } from '@fastify/error'
import type { FastifyInstance } from 'fastify'
import { HandshakeTimeoutError, UnavailableError } from '../api/errors.js'
import { endInjected } from './injected-stream.js'

/** Ends connections that ask for an upgrade and do not become WebSockets. */
export interface UpgradeGuard {
  /** This one has become a WebSocket: others look after it now. */
  release (socket: unknown): void
  /** Calls back when this one comes to nothing. Without effect on a stream that was injected. */
  follow (socket: unknown, onEnd: (end: UpgradeEnd) => void): void
  /** Whether this request is an upgrade that has not been released, nor ended. */
  isPending (request: IncomingMessage): boolean
}

/**
 * How an upgrade ended: the guard refused it, somebody else answered it, or its client left
 * before any answer.
 */
export type UpgradeEnd = FastifyError | 'answered' | 'left'

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
  /** Upgrades that nobody has made or answered yet, the oldest first. */
  const pending = new Map<Socket, Pending>()
  const guard = { timeoutMs, release, follow, isPending }
  let sweeping: NodeJS.Timeout | undefined
  let isClosing = false

  /** Comes before @fastify/websocket, which makes some of them in no time. */
  function onUpgrade (request: IncomingMessage, stream: Duplex): void {
    if (!(stream instanceof Socket)) return
    if (isClosing) return answer(stream, new UnavailableError())
    const deadlineMs = performance.now() + guard.timeoutMs
    const { bytesWritten: bytesBefore } = stream
    pending.set(stream, { request, deadlineMs, bytesBefore, isWatched: false })
    sweeping ??= setTimeout(sweep, guard.timeoutMs).unref()
  }

  /** Comes after @fastify/websocket, which by now has tied its response to the socket. */
  function watch (_request: unknown, stream: Duplex): void {
    const upgrade = pending.get(stream as Socket)
    if (upgrade === undefined) return
    upgrade.isWatched = true
    stream.on('error', destroy)
    stream.on('close', onClose)
    endAfterResponse(stream as Socket)
  }

  /** One timer for all of them. */
  function sweep (): void {
    const nowMs = performance.now()
    sweeping = undefined
    for (const [socket, { deadlineMs }] of pending) {
      if (deadlineMs > nowMs) {
        sweeping = setTimeout(sweep, Math.ceil(deadlineMs - nowMs)).unref()
        return
      }
      end(socket, new HandshakeTimeoutError())
    }
  }

  /** Ends it with this answer, unless it has become a WebSocket of somebody else's. */
  function end (socket: Socket, refusal: FastifyError): void {
    const upgrade = pending.get(socket) as Pending
    release(socket)
    if (socket.bytesWritten === upgrade.bytesBefore) {
      upgrade.onEnd?.(refusal)
      answer(socket, refusal)
    // An answer that nobody reads.
    } else if (responseOf(socket)?.headersSent === true) {
      socket.destroy()
    }
  }

  function release (socket: unknown): void {
    const upgrade = pending.get(socket as Socket)
    if (upgrade === undefined) return
    pending.delete(socket as Socket)
    if (!upgrade.isWatched) return
    (socket as Socket).off('error', destroy).off('close', onClose)
  }

  function follow (socket: unknown, onEnd: (end: UpgradeEnd) => void): void {
    const upgrade = pending.get(socket as Socket)
    if (upgrade !== undefined) upgrade.onEnd = onEnd
  }

  function isPending (request: IncomingMessage): boolean {
    return pending.get(request.socket)?.request === request
  }

  function onClose (this: Socket): void {
    const { bytesBefore, onEnd } = pending.get(this) as Pending
    onEnd?.(this.bytesWritten === bytesBefore ? 'left' : 'answered')
    release(this)
  }

  guards.set(app.server, guard)
  app.server.prependListener('upgrade', endInjected)
  app.server.prependListener('upgrade', onUpgrade)
  app.server.on('upgrade', watch)
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => {
      isClosing = true
      clearTimeout(sweeping)
      for (const socket of pending.keys()) end(socket, new UnavailableError())
    })
  })
  return guard
}

interface Pending {
  readonly request: IncomingMessage
  readonly deadlineMs: number
  /** What had been written before: a connection may have carried other requests. */
  readonly bytesBefore: number
  /** Whether it is listened to: not before others have had a chance to make it. */
  isWatched: boolean
  onEnd?: (end: UpgradeEnd) => void
}

function destroy (this: Duplex): void {
  this.destroy()
}

/**
 * What @fastify/websocket has tied to the socket by `assignSocket`. Not documented, as that is not:
 * without it, the timeout ends the socket.
 */
function responseOf (
  { _httpMessage }: Socket & { _httpMessage?: ServerResponse | null }
): ServerResponse | null | undefined {
  return _httpMessage
}

/** Ends the socket once the answer to its upgrade has been written, if it gets one. */
function endAfterResponse (socket: Socket): void {
  const response = responseOf(socket)
  if (response?.writableFinished === true) socket.destroySoon()
  else response?.once('finish', () => socket.destroySoon())
}

/** Refuses an upgrade where there is no Fastify reply to do so, and ends the connection. */
function answer (socket: Socket, { statusCode = 503, code, message }: FastifyError): void {
  const error = STATUS_CODES[statusCode]
  socket.on('error', destroy)
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
