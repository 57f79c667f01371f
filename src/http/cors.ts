import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import type { Fault } from '../observability/failure-log.js'
import type { Origins } from './origin-check.js'

export interface CorsOptions {
  origins: Origins
  /** True for requests whose answer is the application's own: only it knows who may read it. */
  isAnsweredByHost: (request: FastifyRequest) => boolean
  /** Logs what the application's `origin` function throws. */
  fault: Fault
}

/**
 * Creates an `onSend` hook that lets pages of foreign origins read the plugin's answers to plain
 * requests, refusals included, if these pages may connect (the CORS protocol of the Fetch
 * standard, with credentials). Headers that the application has set stay as they are.
 */
export function createCors ({ origins, isAnsweredByHost, fault }: CorsOptions): onSendHookHandler {
  return (request, reply, payload, done) => {
    if (!isAnsweredByHost(request) && !reply.hasHeader('access-control-allow-origin')) {
      const origin = readerOf(request, origins, fault)
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
function readerOf (
  request: FastifyRequest, origins: Origins, fault: Fault
): string | undefined {
  try {
    return origins.foreignOf(request)
  } catch (err) {
    fault.occurred(err, { reqId: request.id })
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
