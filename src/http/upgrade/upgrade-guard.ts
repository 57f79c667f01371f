import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { FastifyError } from '@fastify/error'
import { HandshakeTimeoutError, UnavailableError } from '../../api/errors.js'

/** Ends connections that ask for an upgrade and do not become WebSockets. */
export interface UpgradeGuard {
  /** Milliseconds that an upgrade may take: the longest `handshakeTimeout` of all time sockets. */
  timeoutMs: number
  /**
   * Starts the time limit of an upgrade, and calls `dispatch` when all earlier responses have been
   * written to the connection, which is usually at once. Refuses the upgrade with 503 if the server
   * is closing.
   *
   * @param isPlain true if the request is answered as plain HTTP.
   */
  add (request: IncomingMessage, isPlain: boolean, dispatch: () => void): void
  /** Stops guarding a connection that has become a WebSocket. */
  remove (socket: unknown): void
  /** Ends a pending connection with this answer, unless other code has written to it. */
  refuse (socket: Socket, refusal: FastifyError): void
  /**
   * Calls back if this upgrade ends without a WebSocket. Replaces an earlier callback. Has no
   * effect for an injected stream.
   */
  onEnd (socket: unknown, callback: OnUpgradeEnd): void
  /** True if this request is a WebSocket upgrade that has neither succeeded nor ended. */
  isUpgrading (request: IncomingMessage): boolean
  /** Ends the socket after the response that is now assigned to it. */
  watchResponse (socket: Socket): void
  /** Refuses all pending upgrades, and each later one, with 503. */
  close (): void
}

/**
 * How an upgrade ended: the guard refused it (the error), other code answered it, or its client
 * left before any answer.
 */
export type UpgradeEnd = FastifyError | 'answered' | 'left'

export type OnUpgradeEnd = (end: UpgradeEnd, request: IncomingMessage) => void

/**
 * Creates a guard for one HTTP server. Node.js no longer limits or closes a socket whose client has
 * asked for an upgrade. Such a socket would stay open for ever, and `app.close()` would wait for
 * it. The guard ends the socket after the answer, after `timeoutMs` without an answer, and at
 * shutdown.
 */
export function createUpgradeGuard (): UpgradeGuard {
  /** Upgrades that are neither completed nor answered, the oldest first. */
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
    remove,
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

  /** Delays a pipelined upgrade until the responses to earlier requests have been written. */
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

  /** Listens to the socket. Called after the dispatch, because most upgrades complete in it. */
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

  /** Refuses the upgrades whose time limit has passed. One timer serves all upgrades. */
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
    const { request, bytesBefore, onEnd } = pending.get(socket) as Pending
    remove(socket)
    if (socket.bytesWritten === bytesBefore) {
      onEnd?.(refusal, request)
      answer(socket, refusal)
    } else if (bytesBefore === undefined || responseOf(socket)?.headersSent === true) {
      // An earlier response is not finished, or the client does not read the response to this one.
      socket.destroy()
    }
  }

  function remove (socket: unknown): void {
    const upgrade = pending.get(socket as Socket)
    if (upgrade === undefined) return
    pending.delete(socket as Socket)
    if (!upgrade.isWatched) return
    (socket as Socket).off('error', destroy).off('close', onClose)
  }

  function onClose (this: Socket): void {
    const { request, bytesBefore = this.bytesWritten, onEnd } = pending.get(this) as Pending
    onEnd?.(this.bytesWritten === bytesBefore ? 'left' : 'answered', request)
    remove(this)
  }

  return guard
}

interface Pending {
  readonly request: IncomingMessage
  readonly isPlain: boolean
  readonly deadlineMs: number
  /**
   * The bytes that had been written to the connection, for earlier requests, when the upgrade was
   * dispatched. Undefined until then.
   */
  bytesBefore: number | undefined
  isWatched: boolean
  onEnd?: OnUpgradeEnd
}

function destroy (this: Socket): void {
  this.destroy()
}

/**
 * The response that `assignSocket` has assigned to the socket. Node.js does not document
 * `_httpMessage`. If a later version lacks it, the time limit ends the socket.
 */
function responseOf (
  { _httpMessage }: Socket & { _httpMessage?: ServerResponse | null }
): ServerResponse | null | undefined {
  return _httpMessage
}

/** Writes a refusal to the socket directly, bypassing Fastify, and ends the connection. */
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
