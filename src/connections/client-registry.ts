import type { Client } from './client.js'

/** The connected clients of one registration. */
export interface Clients<Context> {
  /** By id, in order of arrival. Iterating it survives clients that leave or join meanwhile. */
  readonly byId: ReadonlyMap<string, Client<Context>>
  add (client: Client<Context>): void
  remove (client: Client<Context>): void
  /** Resolves when nobody is connected; at once if so now. */
  whenEmpty (): Promise<void>
}

export interface ClientsOptions {
  /** Called when the first client has come, to none. */
  onFirst: () => void
  /** Called when the last one has gone. */
  onEmpty: () => void
}

export function createClients<Context> ({ onFirst, onEmpty }: ClientsOptions): Clients<Context> {
  const byId = new Map<string, Client<Context>>()
  const waiting = new Set<() => void>()

  return {
    byId,
    add (client) {
      byId.set(client.id, client)
      if (byId.size === 1) onFirst()
    },
    remove (client) {
      byId.delete(client.id)
      if (byId.size > 0) return
      onEmpty()
      for (const resolve of waiting) resolve()
      waiting.clear()
    },
    whenEmpty () {
      if (byId.size === 0) return Promise.resolve()
      return new Promise((resolve) => waiting.add(resolve))
    }
  }
}
