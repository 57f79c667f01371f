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
  createEmitter (): EventEmitter
  /** True if only this plugin's @fastify/websocket listens. */
  hasOnlyOurs (): boolean
  /** Passes an upgrade to this plugin's @fastify/websocket. */
  readonly emitToOurs: UpgradeListener
  /**
   * The listeners for a WebSocket upgrade, in the order in which they are called: proxies that were
   * registered before this plugin, except for the URL of a time socket; then this plugin's
   * @fastify/websocket; then all others.
   */
  forWebsocket (isTimeSocketUrl: boolean): UpgradeListener[]
  /**
   * The server's own listeners, except for those of @fastify/websocket whose upgrades
   * come through the emitter.
   */
  others (): UpgradeListener[]
  /** True for this plugin's @fastify/websocket. */
  isOurs (listener: UpgradeListener): boolean
  /** Records that this is a listener of @fastify/websocket: all of them reach the same routes. */
  noteWebsocketPlugin (listener: UpgradeListener): void
  isWebsocketPlugin (listener: UpgradeListener): boolean
}

/** The server, and each emitter, have one listener of this plugin. */
const OWN_COUNT = 1

/** Finds out who listens to the upgrades of a server. Has Node.js detect upgrades. */
export function createUpgradeListeners (server: Server): UpgradeListeners {
  const fastifyListeners = new WeakSet<UpgradeListener>()
  /**
   * Listeners that were added before this plugin was registered. This plugin's hooks do not run on
   * the routes of the plugins that added them.
   */
  const earlier = new Set(server.rawListeners('upgrade') as UpgradeListener[])
  let emitter: EventEmitter | undefined

  function ours (): UpgradeListener[] {
    const all = emitter?.listeners('upgrade') as UpgradeListener[] | undefined ?? []
    return all.filter((listener) => listener !== closeInjectedOnEnd)
  }

  function others (): UpgradeListener[] {
    return (server.rawListeners('upgrade') as UpgradeListener[]).filter((listener) =>
      listener !== doNothing && !(emitter !== undefined && fastifyListeners.has(listener)))
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
    createEmitter () {
      const created = new EventEmitter().on('upgrade', closeInjectedOnEnd)
      emitter ??= created
      return created
    },
    hasOnlyOurs () {
      const isListening = emitter !== undefined && emitter.listenerCount('upgrade') > OWN_COUNT
      return isListening && server.listenerCount('upgrade') === OWN_COUNT
    },
    emitToOurs (request, stream, head) {
      emitter?.emit('upgrade', request, stream, head)
    },
    forWebsocket (isTimeSocketUrl) {
      const all = others()
      const proxies = all.filter((listener) => earlier.has(listener) && isProxy(listener))
      return [...new Set([...isTimeSocketUrl ? [] : proxies, ...ours(), ...all])]
    },
    others,
    isOurs: (listener) => ours().includes(listener),
    noteWebsocketPlugin: (listener) => { fastifyListeners.add(listener) },
    isWebsocketPlugin: (listener) => fastifyListeners.has(listener)
  }
}
