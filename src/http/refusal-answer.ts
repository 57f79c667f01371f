import { STATUS_CODES } from 'node:http'
import type { FastifyError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { safely } from '../observability/log.js'

/** Why a request is refused, and what headers say so; Fastify, too, sends those of an error. */
export interface Refusal extends FastifyError {
  headers?: Readonly<Record<string, string>>
}

/**
 * The name of the error handler of an application that set none (Fastify's `lib/error-
 * handler.js`).
 */
const FASTIFY_DEFAULT = 'defaultErrorHandler'

/** Answers with a refusal of ours: a coded JSON body, in a connection that is then closed. */
export function refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void {
  safely(request.log).debug({ code: refusal.code }, 'refused')
  const { code, message, statusCode = 500, headers = {} } = refusal
  reply.headers({ ...headers, connection: 'close' })
  answer(reply, { statusCode, code, error: STATUS_CODES[statusCode], message })
}

/**
 * The route's error handler: passes errors on to the application's, unless that is
 * Fastify's default, which would tell the client what went wrong inside. An error of
 * 500 or more is then logged, and answered without any detail.
 */
export async function answerError (
  error: unknown, request: FastifyRequest, reply: FastifyReply
): Promise<FastifyReply> {
  const statusCode = statusCodeOf(error, reply)
  const isDefault = request.server.errorHandler.name === FASTIFY_DEFAULT
  // Thrown, not sent: what is no Error would be sent as a body, with status 200.
  if (statusCode < 500 || !isDefault) throw error
  safely(request.log).error({ err: error }, 'a hook of the time socket’s route failed')
  const message = STATUS_CODES[statusCode]
  return answer(reply, { statusCode, error: message, message })
}

/** Sends it as text, which the application's `preSerialization` hooks do not see. */
function answer (reply: FastifyReply, body: { statusCode: number, [field: string]: unknown }) {
  return reply.code(body.statusCode)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}

/**
 * As Fastify decides it (its `lib/error-status.js`): what the hook set, else what the error
 * asks for.
 */
function statusCodeOf (error: unknown, reply: FastifyReply): number {
  if (reply.statusCode !== 200) return reply.statusCode
  const { statusCode, status } = Object(error) as { statusCode?: unknown, status?: unknown }
  return [statusCode, status].find(isErrorStatus) ?? 500
}

function isErrorStatus (status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599
}
