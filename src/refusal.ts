import { STATUS_CODES } from 'node:http'
import type { FastifyError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * The name of the error handler of an application that set none (Fastify's `lib/error-
 * handler.js`).
 */
const FASTIFY_DEFAULT = 'defaultErrorHandler'

/** Answers with a refusal of ours: a coded JSON body, in a connection that is then closed. */
export function refuse (request: FastifyRequest, reply: FastifyReply, refusal: FastifyError): void {
  request.log.debug({ code: refusal.code }, 'refused')
  const { code, message, statusCode = 500 } = refusal
  reply.code(statusCode).header('connection', 'close')
    .send({ statusCode, code, error: STATUS_CODES[statusCode], message })
}

/**
 * The route's error handler: passes errors on to the application's, unless that is
 * Fastify's default, which would tell the client what went wrong inside. An error of
 * 500 or more is then logged, and answered without any detail.
 */
export function answerError (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const statusCode = statusCodeOf(error, reply)
  if (statusCode < 500 || request.server.errorHandler.name !== FASTIFY_DEFAULT) {
    reply.send(error)
    return
  }
  request.log.error({ err: error }, 'a hook of the time socket’s route failed')
  const message = STATUS_CODES[statusCode]
  reply.code(statusCode).send({ statusCode, error: message, message })
}

/**
 * As Fastify decides it (its `lib/error-status.js`): what the hook set, else what the error
 * asks for.
 */
function statusCodeOf (error: unknown, reply: FastifyReply): number {
  if (reply.statusCode !== 200) return reply.statusCode
  const { statusCode, status } = error as { statusCode?: unknown, status?: unknown }
  return [statusCode, status].find(isErrorStatus) ?? 500
}

function isErrorStatus (status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599
}
