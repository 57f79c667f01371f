import type { FastifyReply, FastifyRequest } from 'fastify'
import { TIME_PROTOCOL } from '../protocol/time-v1.js'
import type { ServerClock } from '../time/server-time.js'
import { SERVER_ID } from '../protocol/server-id.js'
import { toHundredths } from '../protocol/time-v1-text.js'

/** What a plain `GET` is answered. */
export interface TimeAnswer {
  /** The server's time, milliseconds since the Unix epoch, with at most two decimals. */
  readonly now: number
  /** Milliseconds between two ticks. */
  readonly interval: number
  /** How often the server's wall clock has stepped: goes up by one each time. */
  readonly clockSteps: number
  /** Names the server process, at random: clockSteps compare only within one. */
  readonly server: string
  /** The subprotocols built in. */
  readonly protocols: readonly string[]
}

/** @returns a handler for plain HTTP: health checks, curl, and pages whose upgrade was refused. */
export function createTellTime (clock: ServerClock, intervalMs: number) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<TimeAnswer> => {
    reply.header('cache-control', 'no-store')
    // Nobody else looks while nobody is connected.
    clock.look()
    return {
      now: toHundredths(clock.now()),
      interval: intervalMs,
      clockSteps: clock.clockSteps,
      server: SERVER_ID,
      protocols: [TIME_PROTOCOL]
    }
  }
}
