import type { Client } from './client.js'
import { isOpen } from './client-connection.js'

/** The connected clients of one registration. */
export interface Clients<Context> {
  /**
   * By id, in the order in which the clients connected. Clients may join or leave during an
   * iteration. For internal use only: a user could modify this map at run time.
   */
  readonly byId: ReadonlyMap<string, Client<Context>>
  /** The same clients, for users: read-only at run time, too. */
  readonly view: ReadonlyMap<string, Client<Context>>
  /**
   * The clients that are not closing, in the order in which they connected.
   *
   * @param isChosen returns false for a client to leave out. May call the application's `filter`.
   */
  openClients (isChosen?: (client: Client<Context>) => boolean): Client<Context>[]
  add (client: Client<Context>): void
  remove (client: Client<Context>): void
  /** Starts the runner when the first client connects, and stops it when the last one has left. */
  runWhileConnected (runner: Runner): void
  /** Resolves when no client is connected; at once if that is so now. */
  whenEmpty (): Promise<void>
}

/** Something that runs only while clients are connected. */
export interface Runner {
  start (): void
  stop (): void
}

export function createClients<Context> (): Clients<Context> {
  const byId = new Map<string, Client<Context>>()
  const runners: Runner[] = []
  const waiting = new Set<() => void>()

  return {
    byId,
    view: new ReadonlyView(byId),
    openClients (isChosen = () => true) {
      const chosen: Client<Context>[] = []
      for (const client of byId.values()) {
        if (isOpen(client) && isChosen(client)) chosen.push(client)
      }
      return chosen
    },
    add (client) {
      byId.set(client.id, client)
      if (byId.size === 1) for (const runner of runners) runner.start()
    },
    remove (client) {
      byId.delete(client.id)
      if (byId.size > 0) return
      for (const runner of runners) runner.stop()
      for (const resolve of waiting) resolve()
      waiting.clear()
    },
    runWhileConnected (runner) {
      runners.push(runner)
    },
    whenEmpty () {
      if (byId.size === 0) return Promise.resolve()
      return new Promise((resolve) => waiting.add(resolve))
    }
  }
}

/** A read-only view of a map. The map itself cannot be reached through the view. */
class ReadonlyView<Key, Value> implements ReadonlyMap<Key, Value> {
  readonly #map: ReadonlyMap<Key, Value>

  constructor (map: ReadonlyMap<Key, Value>) {
    this.#map = map
    Object.freeze(this)
  }

  get size (): number {
    return this.#map.size
  }

  get (key: Key): Value | undefined {
    return this.#map.get(key)
  }

  has (key: Key): boolean {
    return this.#map.has(key)
  }

  forEach (
    callback: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void, thisArg?: unknown
  ): void {
    this.#map.forEach((value, key) => callback.call(thisArg, value, key, this))
  }

  keys (): MapIterator<Key> {
    return this.#map.keys()
  }

  values (): MapIterator<Value> {
    return this.#map.values()
  }

  entries (): MapIterator<[Key, Value]> {
    return this.#map.entries()
  }

  [Symbol.iterator] (): MapIterator<[Key, Value]> {
    return this.#map.entries()
  }
}
