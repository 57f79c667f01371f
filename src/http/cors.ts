import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import { safely } from '../observability/log.js'
import type { Origins } from './origin-check.js'

/**
 * Creates an `onSend` hook that lets pages of foreign origins read the plugin's answers to plain
 * requests, refusals included, if these pages may connect (the CORS protocol of the Fetch
 * standard, with credentials). Headers that the application has set stay as they are.
 *
 * @param isAnsweredByHost true for requests whose answer is the application's own: only the
 *   application knows who may read it.
 */
export function createCors (
  origins: Origins, isAnsweredByHost: (request: FastifyRequest) => boolean
): onSendHookHandler {
  return (request, reply, payload, done) => {
    if (!isAnsweredByHost(request) && !reply.hasHeader('access-control-allow-origin')) {
      const origin = readerOf(request, origins)
      if (origin !== undefined) allowReading(reply, origin)
    }
    done(null, payload)
  }
}

/** Adds a header's name, in lower case, to `vary`, unless that has it already, or has `*`. */
export function addVary (reply: FastifyReply, name: string): void {
  const vary = [reply.getHeader('vary') ?? []].flat().join(', ')
  const names = vary.toLowerCase().split(',').map((part) => part.trim())
  if (names.includes(name) || names.includes('*')) return
  reply.header('vary', vary === '' ? name : `${vary}, ${name}`)
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
  addVary(reply, 'origin')
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true'
  })
  // Scripts read only a few headers unasked, and this one says when to come back.
  if (reply.hasHeader('retry-after') && !reply.hasHeader('access-control-expose-headers')) {
    reply.header('access-control-expose-headers', 'retry-after')
  }
}
