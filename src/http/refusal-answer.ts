import { STATUS_CODES } from 'node:http'
import type { FastifyError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from '../observability/failure-log.js'
import { safely } from '../observability/log.js'

/** Why a request is refused, and what headers say so; Fastify, too, sends those of an error. */
export interface Refusal extends FastifyError {
  headers?: Readonly<Record<string, string>>
  /** Further fields of the log line. */
  details?: Readonly<Record<string, string>>
}

/** Answers with a refusal of ours: a coded JSON body, in a connection that is then closed. */
export function refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void {
  safely(request.log).debug({ code: refusal.code }, 'refused')
  const { code, message, statusCode = 500, headers = {} } = refusal
  reply.headers(headers)
  // HTTP/2 has no such header.
  if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
  answer(reply, { statusCode, code, error: STATUS_CODES[statusCode], message })
}

/**
 * Creates the route's error handler: passes errors on to the application's, unless that is
 * Fastify's default, which would tell the client what went wrong inside. An error of 500 or more
 * is then answered without any detail.
 *
 * @param fault logs such errors.
 */
export function createErrorHandler (fault: Fault) {
  return async (
    error: unknown, request: FastifyRequest, reply: FastifyReply
  ): Promise<FastifyReply> => {
    const statusCode = statusCodeOf(error, reply)
    // Thrown, not sent: what is no Error would be sent as a body, with status 200.
    if (statusCode < 500 || hasErrorHandler(request.server)) throw error
    fault.occurred(error, { reqId: request.id })
    const message = STATUS_CODES[statusCode]
    return answer(reply, { statusCode, error: message, message })
  }
}

/** Where Fastify keeps the error handler of a scope (its `lib/symbols.js`). */
const ERROR_HANDLER_SYMBOL = 'fastify.errorHandler'

/**
 * True if the application has set an error handler for this scope or one around it. Fastify keeps
 * its default one in a literal, and derives each that is set from the one it replaces. If a later
 * Fastify keeps them elsewhere, this is false: nothing is leaked then.
 */
export function hasErrorHandler (instance: object): boolean {
  let scope: object | null = instance
  while (scope !== null) {
    const symbol = Object.getOwnPropertySymbols(scope)
      .find(({ description }) => description === ERROR_HANDLER_SYMBOL)
    if (symbol !== undefined) {
      const handler = (scope as Record<symbol, unknown>)[symbol]
      return Object.getPrototypeOf(handler) !== Object.prototype
    }
    scope = Object.getPrototypeOf(scope)
  }
  return false
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
