import { EventEmitter } from 'node:events'
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { FastifyInstance, onRequestHookHandler, RouteOptions } from 'fastify'
import { createCallbackFault } from '../observability/failure-log.js'
import type { Fault } from '../observability/failure-log.js'
import type { Log } from '../observability/log.js'
import type { Timers } from '../util/timers.js'
import { UnavailableError } from '../api/errors.js'
import { endInjected } from './upgrade-socket.js'
import { createUpgradeGuard } from './upgrade-guard.js'
import type { UpgradeGuard } from './upgrade-guard.js'

/** Decides who gets the upgrades of one HTTP server. Shared by all registrations on that server. */
export interface UpgradeDispatch {
  readonly guard: UpgradeGuard
  /**
   * Creates what @fastify/websocket listens to instead of the HTTP server. Only the first one gets
   * the server's upgrades: two would hand each to Fastify twice. Each gets those of its `injectWS`.
   */
  createSource (): EventEmitter
}

export interface UpgradeDispatchOptions {
  /** The full path of the time socket. */
  url: string
  handshakeTimeout: number
  log: Log
  timers: Timers
}

const dispatches = new WeakMap<object, ServerDispatch>()

/**
 * Hands each upgrade to one listener at a time, in this order: Fastify (through the
 * @fastify/websocket that this plugin registered), then the other `upgrade` listeners of the
 * server. Node would call all of them at once, and each would write to the same socket. An upgrade
 * that Fastify has no WebSocket route for goes on to the next listener, if there is one.
 */
export function dispatchUpgrades (
  app: FastifyInstance, { url, handshakeTimeout, log, timers }: UpgradeDispatchOptions
): UpgradeDispatch {
  let dispatch = dispatches.get(app.server)
  if (dispatch === undefined) {
    dispatch = createServerDispatch(app, createCallbackFault(log, 'another upgrade listener', timers))
    dispatches.set(app.server, dispatch)
    const { guard } = dispatch
    app.addHook('onReady', async () => {
      app.addHook('onClose', async () => guard.close())
    })
  }
  const { guard, urls } = dispatch
  urls.add(url)
  guard.timeoutMs = Math.max(guard.timeoutMs, handshakeTimeout)
  app.addHook('onRoute', markPlainRoute)
  app.addHook('onRequest', dispatch.passOn)
  return dispatch
}

interface ServerDispatch extends UpgradeDispatch {
  /** The paths of the time sockets. */
  readonly urls: Set<string>
  /** Hands an upgrade on that Fastify has no WebSocket route for. */
  readonly passOn: onRequestHookHandler
}

type Listener = (request: IncomingMessage, stream: Duplex, head: Buffer) => void

/** An upgrade on its way from listener to listener. */
interface Upgrade {
  readonly request: IncomingMessage
  readonly head: Buffer
  /** Listeners that have not been asked yet. */
  readonly candidates: Listener[]
  /** The one that was asked last. */
  current: Listener | undefined
  /** Symbols that the request had before anybody was asked. */
  readonly symbols: ReadonlySet<symbol>
}

function createServerDispatch (app: FastifyInstance, fault: Fault): ServerDispatch {
  const { server } = app
  const emit: (event: string, ...args: unknown[]) => boolean = server.emit
  const guard = createUpgradeGuard()
  const upgrades = new WeakMap<IncomingMessage, Upgrade>()
  /** Listeners of @fastify/websocket: after one of them, the others have nothing new to offer. */
  const fastifyListeners = new WeakSet<Listener>()
  let source: EventEmitter | undefined
  /** Listeners from before this plugin: our hooks do not run on the routes of their plugins. */
  const earlier = new Set(server.rawListeners('upgrade') as Listener[])
  const urls = new Set<string>()
  /** Sockets that have been served as plain connections once. */
  const rewound = new WeakSet<Socket>()

  function onUpgrade (request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { socket } = request
    if (!(socket instanceof Socket)) {
      endInjected(request, stream)
      emit.call(server, 'upgrade', request, stream, head)
    } else if (stream !== socket || request.readableLength > 0) {
      // Node.js 26 reads the body that the request announces: meanwhile it wraps the socket. The
      // errors of the wrapper are those of the socket.
      if (stream !== socket) stream.on('error', ignore)
      guard.add(request, true, () => answerAsPlain(request))
    } else if (protocolOf(request) === 'websocket') {
      const isPlain = request.method !== 'GET' || announcesBody(request)
      guard.add(request, isPlain, () => isPlain ? answerAsPlain(request) : start(request, head))
    } else {
      startOtherProtocol(request, head)
    }
  }

  /** Fastify answers as if no upgrade had been asked for; the guard then ends the connection. */
  function answerAsPlain (request: IncomingMessage): void {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(request.socket)
    app.routing(request, response)
  }

  function startOtherProtocol (request: IncomingMessage, head: Buffer): void {
    const others = listeners()
    if (protocolOf(request) !== 'h2c' && others.length > 0) {
      guard.add(request, false, () => askNext(track(request, head, others)))
    } else if (mayLackHeaders(request)) {
      guard.add(request, true, () => answerAsPlain(request))
    } else {
      const isFirst = !rewound.has(request.socket)
      rewound.add(request.socket)
      rewind(server, request, head, isFirst)
    }
  }

  function start (request: IncomingMessage, head: Buffer): void {
    const others = listeners()
    const isOurs = urls.has(String(request.url).split('?')[0] ?? '')
    const proxies = others.filter((listener) => earlier.has(listener) && isProxy(listener))
    const first = isOurs ? [] : proxies
    const candidates = [...new Set([...first, ...sourceListeners(), ...others])]
    // @fastify/websocket stops listening before the application has closed.
    if (candidates.length === 0) guard.refuse(request.socket, new UnavailableError())
    else askNext(track(request, head, candidates))
  }

  /** True if Node.js has left out header fields, such as those that say how long the body is. */
  function mayLackHeaders ({ rawHeaders }: IncomingMessage): boolean {
    return rawHeaders.length / 2 >= (server.maxHeadersCount ?? MAX_HEADERS)
  }

  /**
   * True for the listener of @fastify/http-proxy, which keeps it on the server by a symbol. It uses
   * upgrades of its own prefixes only, and hands them to Fastify itself.
   */
  function isProxy (listener: Listener): boolean {
    const fields = server as unknown as Record<symbol, unknown>
    return Object.getOwnPropertySymbols(server).some((symbol) => fields[symbol] === listener)
  }

  function track (request: IncomingMessage, head: Buffer, candidates: Listener[]): Upgrade {
    const symbols = new Set(Object.getOwnPropertySymbols(request))
    const upgrade = { request, head, candidates, symbols, current: undefined }
    upgrades.set(request, upgrade)
    return upgrade
  }

  function sourceListeners (): Listener[] {
    const all = source?.listeners('upgrade') as Listener[] | undefined ?? []
    return all.filter((listener) => listener !== endInjected)
  }

  /** The `upgrade` listeners of the server but for ours, and those that `source` stands for. */
  function listeners (): Listener[] {
    return (server.rawListeners('upgrade') as Listener[]).filter((listener) =>
      listener !== ignore && !(source !== undefined && fastifyListeners.has(listener)))
  }

  /** Asks one listener after another, until one hands the request to Fastify or uses the socket. */
  function askNext (upgrade: Upgrade): void {
    const { request, head, candidates } = upgrade
    const { socket } = request
    const bytesBefore = socket.bytesWritten
    while (!isDispatched(upgrade) && !socket.writableEnded && socket.bytesWritten === bytesBefore) {
      upgrade.current = candidates.shift()
      if (upgrade.current === undefined) return
      try {
        upgrade.current.call(server, request, socket, head)
      } catch (err) {
        fault.occurred(err)
        socket.destroy()
      }
    }
  }

  const passOn: onRequestHookHandler = (request, reply, done) => {
    const upgrade = upgrades.get(request.raw)
    if (upgrade === undefined || !guard.isUpgrading(request.raw)) return done()
    const { current, candidates } = upgrade
    if (request.ws && current !== undefined) fastifyListeners.add(current)
    const others = candidates.filter((listener) => !fastifyListeners.has(listener))
    if (others.length === 0 || !hasNoWebsocketRoute(request)) return done()
    candidates.splice(0, candidates.length, ...others)
    reply.hijack()
    reply.raw.detachSocket(request.raw.socket)
    forgetDispatch(upgrade)
    askNext(upgrade)
    guard.watchResponse(request.raw.socket)
  }

  server.emit = (event: string, ...args: unknown[]): boolean => {
    if (event !== 'upgrade') return emit.call(server, event, ...args)
    onUpgrade(...args as Parameters<Listener>)
    return true
  }
  // Without a listener, Node.js would not look for upgrades at all.
  server.on('upgrade', ignore)

  return {
    guard,
    urls,
    passOn,
    createSource () {
      const created = new EventEmitter().on('upgrade', endInjected)
      source ??= created
      return created
    }
  }
}

function ignore (): void {}

/** Node's default for `server.maxHeadersCount` is 2000 names and values. */
const MAX_HEADERS = 1000

/** The upgrade's protocol in lower case. */
function protocolOf ({ headers: { upgrade = '' } }: IncomingMessage): string {
  return upgrade.trim().toLowerCase()
}

function announcesBody ({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}

const kPlain = Symbol('time-socket-plain-route')

/** An `onRoute` hook: remembers which routes are no WebSocket routes. */
function markPlainRoute (route: RouteOptions): void {
  if (route.websocket === true || route.wsHandler !== undefined) return
  route.config = { ...route.config, [kPlain]: true }
}

function hasNoWebsocketRoute (
  { is404, routeOptions: { config } }: Parameters<onRequestHookHandler>[0]
): boolean {
  return is404 || (config as { [kPlain]?: boolean })[kPlain] === true
}

/** True if the listener keeps the socket on the request, as @fastify/websocket and others do. */
function isDispatched ({ request, symbols }: Upgrade): boolean {
  const fields = request as unknown as Record<symbol, unknown>
  return Object.getOwnPropertySymbols(request)
    .some((symbol) => !symbols.has(symbol) && fields[symbol] === request.socket)
}

/** Removes what such a listener has left on the request: Fastify would take it for its upgrade. */
function forgetDispatch ({ request, symbols, head }: Upgrade): void {
  const fields = request as unknown as Record<symbol, unknown>
  for (const symbol of Object.getOwnPropertySymbols(request)) {
    const isNew = !symbols.has(symbol)
    if (isNew && (fields[symbol] === request.socket || fields[symbol] === head)) {
      Reflect.deleteProperty(request, symbol)
    }
  }
}

/** What asks for an upgrade: RFC 9110 §7.8 and, for h2c, RFC 7540 §3.2.1. */
const UPGRADE_HEADERS = new Set(['connection', 'upgrade', 'http2-settings'])

/**
 * Gives the connection back to the HTTP server, with the request in front that no longer asks for
 * an upgrade.
 *
 * @param keepAlive false closes the connection after the response: each time, the listeners of the
 * server's `connection` event attach to the same socket again.
 */
function rewind (
  server: FastifyInstance['server'], request: IncomingMessage, head: Buffer, keepAlive: boolean
): void {
  const { socket, method, url, httpVersion, headers, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2)
    if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  const isLast = !keepAlive || /\bclose\b/i.test(headers.connection ?? '')
  lines.push(`Connection: ${isLast ? 'close' : 'keep-alive'}`, '', '')
  socket.unshift(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), head]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}
