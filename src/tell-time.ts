import { randomInt } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServerClock } from './server-clock.js'

/** What a plain `GET` is answered. */
export interface TimeAnswer {
  /** The server's time, milliseconds since the Unix epoch. */
  readonly now: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** How often the server's wall clock has stepped: goes up by one each time. */
  readonly epoch: number
  /** Names the server process, at random: epochs compare only within one. */
  readonly server: string
  /** The subprotocols spoken here, the preferred one first. */
  readonly protocols: readonly string[]
}

const SERVER = randomInt(36 ** 8).toString(36).padStart(8, '0')

/** @returns a handler for plain HTTP: health checks, curl, and pages whose upgrade was refused. */
export function createTellTime (clock: ServerClock, intervalMs: number) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<TimeAnswer> => {
    reply.header('cache-control', 'no-store')
    // Nobody else looks while nobody is connected.
    clock.look()
    const now = clock.now()
    return { now, interval: intervalMs, epoch: clock.epoch, server: SERVER, protocols: [] }
  }
}
