import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import { safely } from '../observability/log.js'
import type { Origins } from './origin-check.js'

/**
 * An `onSend` hook that lets pages of foreign origins read the answers to plain requests,
 * refusals included, if they may connect (the CORS protocol of the Fetch standard, with
 * credentials). An application that says itself who may read has said so by then: its
 * headers are left as they are.
 */
export function createCors (origins: Origins): onSendHookHandler {
  return (request, reply, payload, done) => {
    if (!reply.hasHeader('access-control-allow-origin')) {
      const origin = readerOf(request, origins)
      if (origin !== undefined) allowReading(reply, origin)
    }
    done(null, payload)
  }
}

/** Must not throw: Fastify would answer with the error's own text. */
function readerOf (request: FastifyRequest, origins: Origins): string | undefined {
  try {
    return origins.foreignOf(request)
  } catch (err) {
    safely(request.log).error({ err }, 'the option "origin" failed')
    return undefined
  }
}

function allowReading (reply: FastifyReply, origin: string): void {
  const vary = [reply.getHeader('vary') ?? []].flat().join(', ')
  if (!/(^|,)\s*(origin|\*)\s*(,|$)/i.test(vary)) {
    reply.header('vary', vary === '' ? 'origin' : `${vary}, origin`)
  }
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true'
  })
  // Scripts read only a few headers unasked, and this one says when to come back.
  if (reply.hasHeader('retry-after') && !reply.hasHeader('access-control-expose-headers')) {
    reply.header('access-control-expose-headers', 'retry-after')
  }
}
