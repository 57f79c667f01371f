import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type {
  FastifyReply, FastifyRequest, onRequestHookHandler, RouteOptions
} from 'fastify'
import type { WebSocket } from 'ws'
import { createCors } from './cors.js'
import { UnavailableError } from './errors.js'
import type { ResolvedOptions } from './options.js'
import { createOrigins } from './origin.js'
import { answerError, refuse } from './refusal.js'
import type { Refusal } from './refusal.js'
import { createSubprotocols } from './subprotocol.js'
import { withoutUndefined } from './without-undefined.js'

/** Says why a request is refused; undefined if it is not. */
type Check = (request: FastifyRequest) => Refusal | undefined

export interface RouteParts<Context> {
  options: ResolvedOptions<Context>
  /** Whether newcomers are to be refused. */
  isClosing: () => boolean
  /** Refuses plain requests that wait too long; upgrades are guarded elsewhere. */
  limitTime: onRequestHookHandler
  /** Says why there is no room for a request; undefined if there is. */
  findRoom: Check
  /** Answers plain HTTP where the application does not. */
  tellTime: (request: FastifyRequest, reply: FastifyReply) => unknown
  accept: (ws: WebSocket, request: FastifyRequest, context: Context) => void
}

/**
 * The one route, for the upgrade and for plain HTTP: what a hook answers to the
 * one, it answers to the other, so that a page can learn why it was refused.
 */
export function createRoute<Context> (
  { options, isClosing, limitTime, findRoom, tellTime, accept }: RouteParts<Context>
): RouteOptions {
  const { route, logLevel, logSerializers, preValidation } = options
  const agree = createSubprotocols(options.protocols)
  const origins = createOrigins(options.origin)
  const admissions = new WeakMap<FastifyRequest, Admission<Context>>()

  const isUnavailable: Check = () => isClosing() ? new UnavailableError() : undefined

  async function rememberContext (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!request.ws) return
    const context = await options.context(request)
    admissions.set(request, { context, response: reply.raw })
  }

  return {
    exposeHeadRoute: true,
    errorHandler: answerError,
    ...withoutUndefined({ logLevel, logSerializers, preValidation }),
    ...withoutUndefined(route),
    method: 'GET',
    url: options.url,
    onRequest: [
      limitTime, passes(isUnavailable, origins.check, findRoom), ...listOf(route.onRequest)
    ],
    // The last before the 101, synchronous: nothing changes between the checks and the upgrade.
    preHandler: [...listOf(route.preHandler), rememberContext, passes(isUnavailable, agree)],
    onSend: [...listOf(route.onSend), createCors(origins)],
    handler: options.handler ?? tellTime,
    wsHandler (ws, request) {
      const { context, response } = admissions.get(request) as Admission<Context>
      release(response, request)
      accept(ws, request, context)
    }
  }
}

/** The hooks of an option that takes one, several or none. */
function listOf<Hook> (hooks: Hook | Hook[] | undefined): Hook[] {
  return [hooks ?? []].flat() as Hook[]
}

/** A hook that refuses what does not pass all checks, in this order. */
function passes (...checks: readonly Check[]): onRequestHookHandler {
  return (request, reply, done) => {
    for (const check of checks) {
      const refusal = check(request)
      if (refusal !== undefined) return refuse(request, reply, refusal)
    }
    done()
  }
}

/** What is known of an upgrade that is about to be made. */
interface Admission<Context> {
  readonly context: Context
  /** Answers nothing any more, but @fastify/websocket has tied it to the socket. */
  readonly response: ServerResponse
}

/**
 * Unties the response from the socket: it would keep itself and the request alive for
 * as long as the connection. Undone is what `assignSocket` does; Node's documentation
 * names neither that nor `detachSocket`, so it may be missing one day.
 */
function release (response: ServerResponse, { raw }: FastifyRequest): void {
  if (raw.socket instanceof Socket) response.detachSocket?.(raw.socket)
}
