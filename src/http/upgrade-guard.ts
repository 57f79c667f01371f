import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { FastifyError } from '@fastify/error'
import { HandshakeTimeoutError, UnavailableError } from '../api/errors.js'

/** Ends connections that ask for an upgrade and do not become WebSockets. */
export interface UpgradeGuard {
  /** Milliseconds that an upgrade may take: the longest that a registration asks for. */
  timeoutMs: number
  /**
   * Starts the time limit of an upgrade, and calls `dispatch` once the connection is free: at
   * once, unless an earlier response is still being written to it. Refuses the upgrade with 503
   * if the server is closing.
   *
   * @param isPlain true if the request is answered as if it had not asked for an upgrade.
   */
  add (request: IncomingMessage, isPlain: boolean, dispatch: () => void): void
  /** The connection has become a WebSocket: the guard forgets it. */
  release (socket: unknown): void
  /** Ends a pending connection with this answer, unless somebody else has begun to use it. */
  refuse (socket: Socket, refusal: FastifyError): void
  /** Calls back if this upgrade comes to nothing. Without effect on an injected stream. */
  onEnd (socket: unknown, callback: (end: UpgradeEnd) => void): void
  /** True if this request is a WebSocket upgrade that has neither succeeded nor ended. */
  isUpgrading (request: IncomingMessage): boolean
  /** Ends the socket after the response that has been tied to it since it was added. */
  watchResponse (socket: Socket): void
  /** Refuses whatever is pending with 503, and each later upgrade. */
  close (): void
}

/**
 * How an upgrade ended: the guard refused it, somebody else answered it, or its client left
 * before any answer.
 */
export type UpgradeEnd = FastifyError | 'answered' | 'left'

/**
 * Node takes a socket whose client asks for an upgrade out of the HTTP server's care. If nobody
 * ends it, it stays open for ever, and `app.close()` waits for it. The guard ends it after the
 * answer, after `timeoutMs` without one, and at shutdown.
 */
export function createUpgradeGuard (): UpgradeGuard {
  /** Upgrades that are neither made nor answered, the oldest first. */
  const pending = new Map<Socket, Pending>()
  let sweeping: NodeJS.Timeout | undefined
  let isClosing = false

  const guard: UpgradeGuard = {
    timeoutMs: 0,
    add (request, isPlain, dispatch) {
      const { socket } = request
      const deadlineMs = performance.now() + guard.timeoutMs
      const upgrade = { request, isPlain, deadlineMs, bytesBefore: undefined, isWatched: false }
      pending.set(socket, upgrade)
      sweeping ??= setTimeout(sweep, guard.timeoutMs).unref()
      dispatchWhenFree(socket, dispatch)
      watch(socket)
    },
    release,
    refuse,
    onEnd (socket, callback) {
      const upgrade = pending.get(socket as Socket)
      if (upgrade !== undefined) upgrade.onEnd = callback
    },
    isUpgrading (request) {
      const upgrade = pending.get(request.socket)
      return upgrade?.request === request && !upgrade.isPlain
    },
    watchResponse,
    close () {
      isClosing = true
      clearTimeout(sweeping)
      sweeping = undefined
      for (const socket of pending.keys()) refuse(socket, new UnavailableError())
    }
  }

  /** A pipelined upgrade waits until the responses to the requests before it have been written. */
  function dispatchWhenFree (socket: Socket, dispatch: () => void): void {
    const upgrade = pending.get(socket)
    const earlier = responseOf(socket)
    if (upgrade === undefined || socket.writableEnded) return
    if (earlier != null) {
      earlier.once('finish', () => dispatchWhenFree(socket, dispatch))
      return
    }
    upgrade.bytesBefore = socket.bytesWritten
    if (isClosing) return refuse(socket, new UnavailableError())
    dispatch()
    watchResponse(socket)
  }

  /** Not before others have had a chance to take the socket: most are upgraded at once. */
  function watch (socket: Socket): void {
    const upgrade = pending.get(socket)
    if (upgrade === undefined) return
    upgrade.isWatched = true
    socket.on('error', destroy)
    socket.on('close', onClose)
  }

  function watchResponse (socket: Socket): void {
    if (!pending.has(socket)) return
    const response = responseOf(socket)
    if (response?.writableFinished === true) socket.destroySoon()
    else response?.once('finish', () => socket.destroySoon())
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
      refuse(socket, new HandshakeTimeoutError())
    }
  }

  function refuse (socket: Socket, refusal: FastifyError): void {
    const { bytesBefore, onEnd } = pending.get(socket) as Pending
    release(socket)
    if (socket.bytesWritten === bytesBefore) {
      onEnd?.(refusal)
      answer(socket, refusal)
    } else if (bytesBefore === undefined || responseOf(socket)?.headersSent === true) {
      // An earlier response is not finished, or nobody reads the one to this upgrade.
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

  function onClose (this: Socket): void {
    const { bytesBefore = this.bytesWritten, onEnd } = pending.get(this) as Pending
    onEnd?.(this.bytesWritten === bytesBefore ? 'left' : 'answered')
    release(this)
  }

  return guard
}

interface Pending {
  readonly request: IncomingMessage
  readonly isPlain: boolean
  readonly deadlineMs: number
  /**
   * What had been written before the upgrade was dispatched: a connection may have carried other
   * requests. Undefined until it is dispatched.
   */
  bytesBefore: number | undefined
  isWatched: boolean
  onEnd?: (end: UpgradeEnd) => void
}

function destroy (this: Socket): void {
  this.destroy()
}

/**
 * The response that `assignSocket` has tied to the socket. Node documents neither: without
 * `_httpMessage`, the time limit ends the socket.
 */
function responseOf (
  { _httpMessage }: Socket & { _httpMessage?: ServerResponse | null }
): ServerResponse | null | undefined {
  return _httpMessage
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
