import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { HandshakeTimeoutError, UnavailableError } from '../api/errors.js'
import type { Log } from '../observability/log.js'
import type { Timers } from '../util/timers.js'
import { isHandled, sendRefusal } from './refusal-answer.js'
import type { Refusal } from './refusal-answer.js'

export interface TimeLimitOptions {
  timeoutMs: number
  timers: Timers
  log: Log
}

/**
 * Creates an `onRequest` hook that refuses a plain request with 503 if its answer has not begun
 * after `timeoutMs`. When the application closes, the plain requests that have not reached the
 * handler are refused, too: `app.close()` would wait for them.
 *
 * The upgrade guard limits upgrades, because Fastify does not learn when the client of an upgrade
 * leaves. For the same reason this hook does not use Fastify's `handlerTimeout`: that would keep an
 * abandoned upgrade in memory until its time is over, and would cut off long answers.
 */
export function createTimeLimit (
  app: FastifyInstance, { timeoutMs, timers, log }: TimeLimitOptions
): onRequestHookHandler {
  /** Refuses a request unless its answer has begun. */
  function refuseUnsent (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void {
    // A hijacked reply counts as sent: other code answers it.
    if (!reply.sent && !reply.raw.headersSent) sendRefusal(request, reply, refusal, log)
  }

  const pending = new Map<FastifyRequest, FastifyReply>()
  // Added in onReady, this hook runs before Fastify's own, which waits for the connections.
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => {
      for (const [request, reply] of pending) {
        if (!isHandled(request)) refuseUnsent(request, reply, new UnavailableError())
      }
    })
  })
  return (request, reply, done) => {
    if (!request.ws) {
      const expire = () => refuseUnsent(request, reply, new HandshakeTimeoutError())
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
