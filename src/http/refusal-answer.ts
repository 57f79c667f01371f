import { STATUS_CODES } from 'node:http'
import type { FastifyError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../observability/log.js'

/** Why a request is refused. Fastify also sends the `headers` of an error. */
export interface Refusal extends FastifyError {
  /** Headers of the answer. */
  headers?: Readonly<Record<string, string>>
  /** Further fields of the log line. */
  details?: Readonly<Record<string, string>>
}

const kHandled = Symbol('time-socket-handled')

interface HandledRequest extends FastifyRequest {
  [kHandled]?: boolean
}

/** Must be called by the route's handler: the request has passed all checks and hooks. */
export function markHandled (request: HandledRequest): void {
  request[kHandled] = true
}

/**
 * True once the route's handler has begun to answer a plain request, unless the plugin has refused
 * the request since.
 */
export function isHandled (request: HandledRequest): boolean {
  return request[kHandled] === true
}

/** Answers with a refusal: a JSON body with its code, after which the connection is closed. */
export function sendRefusal (
  request: HandledRequest, reply: FastifyReply, refusal: Refusal, log: Log
): void {
  logRefusal(log, refusal, request.id)
  request[kHandled] = false
  const { code, message, statusCode = 500, headers = {} } = refusal
  reply.headers(headers)
  // HTTP/2 has no Connection header.
  if (request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
  answer(reply, { statusCode, code, error: STATUS_CODES[statusCode], message })
}

/** Sends the body as text, so that the application's `preSerialization` hooks do not run. */
export function answer (
  reply: FastifyReply, body: { statusCode: number, [field: string]: unknown }
): FastifyReply {
  return reply.code(body.statusCode).type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}

/** Any client can provoke refusals, so the line has the level `debug`. */
export function logRefusal (log: Log, { code }: FastifyError, reqId?: string): void {
  log.debug({ code, reqId }, 'refused')
}
