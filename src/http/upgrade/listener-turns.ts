import type { IncomingMessage, Server } from 'node:http'
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { FailureLog } from '../../observability/failure-log.js'
import { hasWebsocketRoute } from './plain-routes.js'
import type { UpgradeGuard } from './upgrade-guard.js'
import type { UpgradeListener, UpgradeListeners } from './upgrade-listeners.js'
import { hasStoredSocket, removeStoredSocket } from './upgrade-socket.js'

/** Calls the listeners of an upgrade one after the other, until one of them uses it. */
export interface ListenerTurns {
  /** Calls these listeners in turn. */
  start (request: IncomingMessage, head: Buffer, candidates: UpgradeListener[]): void
  /** Calls a single listener. If the listener throws, the connection is destroyed. */
  call (listener: UpgradeListener, request: IncomingMessage, head: Buffer): void
  /** Passes an upgrade for which Fastify has no WebSocket route to the next listener. */
  readonly passOn: onRequestHookHandler
}

export interface ListenerTurnsParts {
  server: Server
  guard: UpgradeGuard
  listeners: UpgradeListeners
  /** Logs what listeners throw. */
  failureLog: FailureLog
}

/** An upgrade, and the listeners that may use it. */
interface Upgrade {
  readonly request: IncomingMessage
  readonly head: Buffer
  /** Listeners that have not been called yet. */
  candidates: UpgradeListener[]
  /** The listener that was called last. */
  current: UpgradeListener | undefined
  /** True once the upgrade has reached a scope with another copy of @fastify/websocket. */
  wasOfOtherCopy: boolean
  /** The symbols that the request had before any listener was called. */
  readonly symbols: ReadonlySet<symbol>
}

export function createListenerTurns (
  { server, guard, listeners, failureLog }: ListenerTurnsParts
): ListenerTurns {
  const upgrades = new WeakMap<IncomingMessage, Upgrade>()

  /** Calls listeners until one passes the request to Fastify or uses the socket. */
  function callNext (upgrade: Upgrade): void {
    const { request, head, symbols } = upgrade
    const { socket } = request
    const bytesBefore = socket.bytesWritten
    const isFree = () => !hasStoredSocket(request, symbols) && !socket.writableEnded &&
      socket.bytesWritten === bytesBefore
    while (isFree()) {
      upgrade.current = upgrade.candidates.shift()
      if (upgrade.current === undefined) return
      call(upgrade.current, request, head)
    }
  }

  function call (listener: UpgradeListener, request: IncomingMessage, head: Buffer): void {
    try {
      listener.call(server, request, request.socket, head)
    } catch (err) {
      failureLog.failed(err)
      request.socket.destroy()
    }
  }

  /**
   * True if this plugin's @fastify/websocket has dispatched the upgrade to a scope in which the
   * application has registered another copy. The hook of that copy runs before this one, and has
   * not recognized the upgrade.
   */
  function isOfOtherCopy ({ ws }: FastifyRequest, { current }: Upgrade): boolean {
    return ws === false && current !== undefined && listeners.isOurs(current)
  }

  /** Records the listener that was called last, if it is a listener of @fastify/websocket. */
  function recordWebsocketPlugin ({ ws }: FastifyRequest, upgrade: Upgrade): void {
    const { current, wasOfOtherCopy } = upgrade
    if (ws && !wasOfOtherCopy && current !== undefined) listeners.noteWebsocketPlugin(current)
  }

  /** Takes the socket back from Fastify, as if no listener had been called. */
  function takeBack ({ request, head, symbols }: Upgrade, reply: FastifyReply): void {
    reply.hijack()
    reply.raw.detachSocket(request.socket)
    removeStoredSocket(request, head, symbols)
  }

  return {
    start (request, head, candidates) {
      const symbols = new Set(Object.getOwnPropertySymbols(request))
      const upgrade = {
        request, head, candidates, symbols, current: undefined, wasOfOtherCopy: false
      }
      upgrades.set(request, upgrade)
      callNext(upgrade)
    },
    call,
    passOn (request, reply, done) {
      const upgrade = upgrades.get(request.raw)
      if (upgrade === undefined || !guard.isUpgrading(request.raw)) return done()
      const isOfOther = isOfOtherCopy(request, upgrade)
      upgrade.wasOfOtherCopy ||= isOfOther
      recordWebsocketPlugin(request, upgrade)
      if (!isOfOther && hasWebsocketRoute(request)) return done()
      // No listener known to be @fastify/websocket's can help: all of them reach the same routes.
      upgrade.candidates = upgrade.candidates
        .filter((listener) => !listeners.isWebsocketPlugin(listener))
      if (upgrade.candidates.length === 0) return done()
      takeBack(upgrade, reply)
      callNext(upgrade)
      guard.watchResponse(request.raw.socket)
    }
  }
}
