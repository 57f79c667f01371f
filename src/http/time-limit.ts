import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { HandshakeTimeoutError } from '../api/errors.js'
import { refuse } from './refusal-answer.js'
import type { Timers } from '../util/timers.js'

/**
 * An `onRequest` hook that refuses plain requests which nobody has begun to answer in time.
 * Upgrades are the upgrade guard's: of them Fastify does not learn that the client has gone.
 * For the same reason this is not Fastify's `handlerTimeout`, which would hold every upgrade
 * that was given up until its time is over, and cut off long answers that are on their way.
 */
export function createTimeLimit (timeoutMs: number, timers: Timers): onRequestHookHandler {
  return (request, reply, done) => {
    if (!request.ws) {
      const stop = timers.after(timeoutMs, () => expire(request, reply))
      reply.raw.once('close', stop)
    }
    done()
  }
}

function expire (request: FastifyRequest, reply: FastifyReply): void {
  // A hijacked reply is somebody else's, whatever has been written.
  if (!reply.sent && !reply.raw.headersSent) refuse(request, reply, new HandshakeTimeoutError())
}
