import { STATUS_CODES } from 'node:http'
import type { FastifyError } from '@fastify/error'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { FailureLog } from '../observability/failure-log.js'
import { answer } from './refusal-answer.js'

export type ErrorHandler = (
  error: FastifyError, request: FastifyRequest, reply: FastifyReply
) => unknown

/**
 * Creates the route's error handler. It passes errors on to the application's error handler. If the
 * application has none, an error with a status of 500 or more is answered without any detail:
 * Fastify's default handler would send the error's message to the client.
 *
 * @param failureLog logs the errors that are answered without detail.
 */
export function createErrorHandler (app: FastifyInstance, failureLog: FailureLog): ErrorHandler {
  // Fastify passes what this handler throws to the handler that the application has at that time.
  let inherited: unknown
  app.after(() => { inherited = app.errorHandler })

  async function answerError (
    error: unknown, request: FastifyRequest, reply: FastifyReply
  ): Promise<FastifyReply> {
    const statusCode = statusCodeOf(error, reply)
    // Thrown, not sent: Fastify would send a value that is not an Error as a body with status 200.
    if (statusCode < 500 || hasErrorHandler(request.server)) throw error
    failureLog.failed(error, { reqId: request.id })
    const message = STATUS_CODES[statusCode]
    return answer(reply, { statusCode, error: message, message })
  }

  return (error, request, reply) => {
    const { errorHandler } = request.server
    // The application has set its handler after this plugin was loaded.
    if (errorHandler !== inherited) return errorHandler(error, request, reply)
    return answerError(error, request, reply)
  }
}

/** Names the symbol under which Fastify stores a scope's error handler (its `lib/symbols.js`). */
const ERROR_HANDLER_SYMBOL = 'fastify.errorHandler'

/**
 * True if the application has set an error handler for this scope or one around it. Fastify's
 * default error handler is an object literal. Each handler that is set has the handler that it
 * replaces as its prototype. If a later version of Fastify stores handlers elsewhere, the result is
 * false, so that no detail is sent.
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

/**
 * The status that Fastify would send (its `lib/error-status.js`): the one that a hook has set, else
 * the one that the error names.
 */
function statusCodeOf (error: unknown, reply: FastifyReply): number {
  if (reply.statusCode !== 200) return reply.statusCode
  const { statusCode, status } = Object(error) as { statusCode?: unknown, status?: unknown }
  return [statusCode, status].find(isErrorStatus) ?? 500
}

function isErrorStatus (status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599
}
