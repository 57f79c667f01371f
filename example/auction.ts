import type { FastifyInstance } from 'fastify'
import timeSocket from 'fastify-time-socket'
import type { TimeSocket } from 'fastify-time-socket'
import { createRounds } from './rounds.js'

declare module 'fastify-time-socket' {
  interface TimeSocketNamespaces {
    auction: TimeSocket
  }
}

export interface AuctionOptions {
  /** Milliseconds that a round lasts. */
  roundMs: number
}

/** An auction whose hammer falls at one instant on every page, however far away that is. */
export async function auction (app: FastifyInstance, { roundMs }: AuctionOptions): Promise<void> {
  await app.register(timeSocket, {
    url: '/auction/time',
    namespace: 'auction',
    interval: 1000,
    onConnect (client) {
      client.send({ round: rounds.current })
    },
    onMessage (client, data) {
      const refused = rounds.bid(data)
      if (refused !== undefined) client.send({ refused })
    },
    logLevel: 'warn'
  })

  const socket = app.timeSocket.auction
  const rounds = createRounds({
    roundMs,
    now: () => socket.now(),
    after (delayMs, callback) {
      const timeout = setTimeout(callback, delayMs)
      return () => clearTimeout(timeout)
    },
    onChange (round) {
      socket.broadcast({ round })
    },
    // Every page gets it now, and acts on it then: all at once. A later end replaces this one.
    onEndMoved ({ endsAt }) {
      socket.broadcast({ hammer: endsAt }, { at: endsAt, key: 'hammer' })
    }
  })
  app.addHook('onClose', async () => rounds.stop())
}
