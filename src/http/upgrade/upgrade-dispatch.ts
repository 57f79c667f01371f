import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { createFailureLog } from '../../observability/failure-log.js'
import type { FailureLog } from '../../observability/failure-log.js'
import type { Log } from '../../observability/log.js'
import { sharedState } from '../../util/shared-state.js'
import type { Timers } from '../../util/timers.js'
import { doNothing } from '../../util/values.js'
import { UnavailableError } from '../../api/errors.js'
import { createListenerTurns } from './listener-turns.js'
import { markPlainRoute } from './plain-routes.js'
import { createUpgradeGuard } from './upgrade-guard.js'
import type { OnUpgradeEnd, UpgradeGuard } from './upgrade-guard.js'
import { createUpgradeListeners } from './upgrade-listeners.js'
import type { UpgradeListener } from './upgrade-listeners.js'
import {
  announcesBody, answerAsPlain, closeInjectedOnEnd, mayLackHeaders, protocolOf, returnToServer
} from './upgrade-socket.js'

/** Passes the upgrades of one HTTP server to listeners. All time sockets of the server share it. */
export interface UpgradeDispatch {
  readonly guard: UpgradeGuard
  /** Creates the emitter to which @fastify/websocket listens instead of the HTTP server. */
  createEmitter (): EventEmitter
  /**
   * Must be called for each time socket. Requests for a path with parameters are not recognized.
   *
   * @param onEarlyEnd called for each upgrade to this path that ends without a WebSocket, unless
   * another callback has replaced this one.
   */
  addTimeSocket (path: string, onEarlyEnd: OnUpgradeEnd): void
}

export interface UpgradeDispatchOptions {
  handshakeTimeout: number
  log: Log
  timers: Timers
}

/** A decorator of scopes that have the hooks: further time sockets must not add them again. */
const kHasHooks = Symbol('time-socket-upgrade-hooks')

const dispatches = sharedState('upgrade-dispatches', () => new WeakMap<object, ServerDispatch>())

/**
 * Passes each upgrade to one listener at a time: first to Fastify (through the @fastify/websocket
 * that this plugin has registered), then to the other `upgrade` listeners of the server. Node.js
 * would call all of them at once, and each would write to the same socket. If Fastify has no
 * WebSocket route for an upgrade, the next listener gets it.
 */
export function dispatchUpgrades (
  app: FastifyInstance, { handshakeTimeout, log, timers }: UpgradeDispatchOptions
): UpgradeDispatch {
  let dispatch = dispatches.get(app.server)
  if (dispatch === undefined) {
    dispatch = createServerDispatch(app, createFailureLog(log, 'another upgrade listener', timers))
    dispatches.set(app.server, dispatch)
    const { guard } = dispatch
    app.addHook('onReady', async () => {
      app.addHook('onClose', async () => guard.close())
    })
  }
  const { guard } = dispatch
  guard.timeoutMs = Math.max(guard.timeoutMs, handshakeTimeout)
  if (!app.hasDecorator(kHasHooks)) {
    app.decorate(kHasHooks, true)
    app.addHook('onRoute', markPlainRoute)
    app.addHook('onRequest', dispatch.passOn)
  }
  return dispatch
}

interface ServerDispatch extends UpgradeDispatch {
  /** Passes an upgrade for which Fastify has no WebSocket route to the next listener. */
  readonly passOn: onRequestHookHandler
}

function createServerDispatch (app: FastifyInstance, failureLog: FailureLog): ServerDispatch {
  const { server } = app
  const emit: (event: string, ...args: unknown[]) => boolean = server.emit
  const guard = createUpgradeGuard()
  const listeners = createUpgradeListeners(server)
  const turns = createListenerTurns({ server, guard, listeners, failureLog })
  /** The callbacks of the time sockets, by path. */
  const earlyEnds = new Map<string, OnUpgradeEnd>()
  /** Sockets that have been returned to the HTTP server once. */
  const returned = new WeakSet<Socket>()

  function onUpgrade (request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { socket } = request
    if (!(socket instanceof Socket)) {
      closeInjectedOnEnd(request, stream)
      emit.call(server, 'upgrade', request, stream, head)
    } else if (stream !== socket || request.readableLength > 0) {
      // Node.js 26 wraps the socket while it reads the request's body. The wrapper repeats the
      // socket's errors, which the guard handles.
      if (stream !== socket) stream.on('error', doNothing)
      guard.add(request, true, () => answerAsPlain(app, request))
    } else if (protocolOf(request) === 'websocket') {
      const isPlain = request.method !== 'GET' || announcesBody(request)
      const dispatch = () => isPlain ? answerAsPlain(app, request) : start(request, head)
      guard.add(request, isPlain, dispatch)
    } else {
      startOtherProtocol(request, head)
    }
  }

  function startOtherProtocol (request: IncomingMessage, head: Buffer): void {
    const others = listeners.others()
    if (protocolOf(request) !== 'h2c' && others.length > 0) {
      guard.add(request, false, () => turns.start(request, head, others))
    } else if (mayLackHeaders(server, request)) {
      guard.add(request, true, () => answerAsPlain(app, request))
    } else {
      // The guard waits until the responses to earlier requests have been written.
      guard.add(request, true, () => {
        const isFirst = !returned.has(request.socket)
        returned.add(request.socket)
        guard.remove(request.socket)
        returnToServer(server, request, head, isFirst)
      })
    }
  }

  function start (request: IncomingMessage, head: Buffer): void {
    const onEarlyEnd = earlyEnds.get(pathOf(request))
    if (onEarlyEnd !== undefined) guard.onEnd(request.socket, onEarlyEnd)
    if (listeners.hasOnlyOurs()) {
      // The usual case: no other listener could get the upgrade, so it need not be tracked.
      turns.call(listeners.emitToOurs, request, head)
      return
    }
    const candidates = listeners.forWebsocket(onEarlyEnd !== undefined)
    // @fastify/websocket stops listening before the application has closed.
    if (candidates.length === 0) guard.refuse(request.socket, new UnavailableError())
    else turns.start(request, head, candidates)
  }

  server.emit = (event: string, ...args: unknown[]): boolean => {
    if (event !== 'upgrade') return emit.call(server, event, ...args)
    onUpgrade(...args as Parameters<UpgradeListener>)
    return true
  }

  return {
    guard,
    passOn: turns.passOn,
    createEmitter: listeners.createEmitter,
    addTimeSocket: (path, onEarlyEnd) => { earlyEnds.set(path, onEarlyEnd) }
  }
}

function pathOf ({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
