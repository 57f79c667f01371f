import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { HandshakeTimeoutError, UnavailableError } from '../api/errors.js'
import { hasReachedHandler } from './plain-answer.js'
import { refuse } from './refusal-answer.js'
import type { Refusal } from './refusal-answer.js'
import type { Timers } from '../util/timers.js'

/**
 * An `onRequest` hook that refuses plain requests which nobody has begun to answer in time, and
 * when the application closes those that a hook still holds: `app.close()` would wait for them.
 *
 * Upgrades are the upgrade guard's: of them Fastify does not learn that the client has gone. For
 * the same reason this is not Fastify's `handlerTimeout`, which would hold every upgrade that was
 * given up until its time is over, and cut off long answers that are on their way.
 */
export function createTimeLimit (
  app: FastifyInstance, timeoutMs: number, timers: Timers
): onRequestHookHandler {
  const pending = new Map<FastifyRequest, FastifyReply>()
  // Added this late, the hook runs before that of Fastify, which waits for the connections.
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => {
      for (const [request, reply] of pending) {
        if (!hasReachedHandler(request)) end(request, reply, new UnavailableError())
      }
    })
  })
  return (request, reply, done) => {
    if (!request.ws) {
      const expire = () => end(request, reply, new HandshakeTimeoutError())
      const stop = timers.after(timeoutMs, expire)
      pending.set(request, reply)
      reply.raw.once('close', () => {
        stop()
        pending.delete(request)
      })
    }
    done()
  }
}

function end (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void {
  // A hijacked reply is somebody else's, whatever has been written.
  if (!reply.sent && !reply.raw.headersSent) refuse(request, reply, refusal)
}
