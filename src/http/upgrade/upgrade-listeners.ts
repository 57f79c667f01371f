import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { doNothing } from '../../util/values.js'
import { closeInjectedOnEnd } from './upgrade-socket.js'

/** A listener of a server's `upgrade` event. */
export type UpgradeListener = (request: IncomingMessage, stream: Duplex, head: Buffer) => void

/** The listeners that may use the upgrades of one HTTP server. */
export interface UpgradeListeners {
  /**
   * Creates the emitter to which @fastify/websocket listens instead of the HTTP server. Only the
   * first emitter gets the server's upgrades, because two would pass each upgrade to Fastify twice.
   * Each emitter gets the upgrades of its own `injectWS`.
   */
  createSource (): EventEmitter
  /** True if only this plugin's @fastify/websocket listens. */
  areOfSource (): boolean
  /** Passes an upgrade to this plugin's @fastify/websocket. */
  readonly emitToSource: UpgradeListener
  /**
   * The listeners for a WebSocket upgrade, in the order in which they are called: proxies that were
   * registered before this plugin, except for the URL of a time socket; then this plugin's
   * @fastify/websocket; then all others.
   */
  forWebsocket (isTimeSocketUrl: boolean): UpgradeListener[]
  /** The server's own listeners, except for those of @fastify/websocket that a source replaces. */
  ofOthers (): UpgradeListener[]
  /** True for this plugin's @fastify/websocket. */
  isOfSource (listener: UpgradeListener): boolean
  /** Records that this is a listener of @fastify/websocket: all of them reach the same routes. */
  noteFastify (listener: UpgradeListener): void
  isFastify (listener: UpgradeListener): boolean
}

/** The server, and each source, have one listener of this plugin. */
const OWN_COUNT = 1

/** Finds out who listens to the upgrades of a server. Has Node.js detect upgrades. */
export function createUpgradeListeners (server: Server): UpgradeListeners {
  const fastifyListeners = new WeakSet<UpgradeListener>()
  /**
   * Listeners that were added before this plugin was registered. This plugin's hooks do not run on
   * the routes of the plugins that added them.
   */
  const earlier = new Set(server.rawListeners('upgrade') as UpgradeListener[])
  let source: EventEmitter | undefined

  function ofSource (): UpgradeListener[] {
    const all = source?.listeners('upgrade') as UpgradeListener[] | undefined ?? []
    return all.filter((listener) => listener !== closeInjectedOnEnd)
  }

  function ofOthers (): UpgradeListener[] {
    return (server.rawListeners('upgrade') as UpgradeListener[]).filter((listener) =>
      listener !== doNothing && !(source !== undefined && fastifyListeners.has(listener)))
  }

  /**
   * True for the listener of @fastify/http-proxy, which the server holds under a symbol. This
   * listener uses only upgrades of its own prefixes, and passes them to Fastify itself.
   */
  function isProxy (listener: UpgradeListener): boolean {
    const fields = server as unknown as Record<symbol, unknown>
    return Object.getOwnPropertySymbols(server).some((symbol) => fields[symbol] === listener)
  }

  // Without a listener, Node.js does not detect upgrades.
  server.on('upgrade', doNothing)

  return {
    createSource () {
      const created = new EventEmitter().on('upgrade', closeInjectedOnEnd)
      source ??= created
      return created
    },
    areOfSource () {
      const isListening = source !== undefined && source.listenerCount('upgrade') > OWN_COUNT
      return isListening && server.listenerCount('upgrade') === OWN_COUNT
    },
    emitToSource (request, stream, head) {
      source?.emit('upgrade', request, stream, head)
    },
    forWebsocket (isTimeSocketUrl) {
      const others = ofOthers()
      const proxies = others.filter((listener) => earlier.has(listener) && isProxy(listener))
      return [...new Set([...isTimeSocketUrl ? [] : proxies, ...ofSource(), ...others])]
    },
    ofOthers,
    isOfSource: (listener) => ofSource().includes(listener),
    noteFastify: (listener) => { fastifyListeners.add(listener) },
    isFastify: (listener) => fastifyListeners.has(listener)
  }
}
