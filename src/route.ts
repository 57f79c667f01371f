import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type {
  FastifyReply, FastifyRequest, onRequestHookHandler, preHandlerHookHandler, RouteOptions
} from 'fastify'
import type { WebSocket } from 'ws'
import { UnavailableError, UnsupportedProtocolError } from './errors.js'
import type { ResolvedOptions } from './options.js'
import { answerError, refuse } from './refusal.js'
import { isThenable } from './thenable.js'
import { withoutUndefined } from './without-undefined.js'

export interface RouteParts<Context> {
  options: ResolvedOptions<Context>
  /** Whether newcomers are to be refused. */
  isClosing: () => boolean
  /** Answers plain HTTP where the application does not. */
  tellTime: (request: FastifyRequest, reply: FastifyReply) => unknown
  accept: (ws: WebSocket, request: FastifyRequest, context: Context) => void
}

/**
 * The one route, for the upgrade and for plain HTTP: what a hook answers to the
 * one, it answers to the other, so that a page can learn why it was refused.
 */
export function createRoute<Context> (
  { options, isClosing, tellTime, accept }: RouteParts<Context>
): RouteOptions {
  const { route, logLevel, logSerializers, preValidation } = options

  const refuseIfClosing: onRequestHookHandler = (request, reply, done) => {
    if (isClosing()) refuse(request, reply, new UnavailableError())
    else done()
  }

  /** Asynchronous only if the application's function is: an upgrade is then done in one go. */
  const rememberContext: preHandlerHookHandler = (request, reply, done) => {
    if (!request.ws) return done()
    const remember = (context: Context) => {
      (request as AdmittedRequest<Context>)[kAdmission] = { context, response: reply.raw }
    }
    const context = contextOf(request)
    if (isThenable(context)) return context.then(remember)
    remember(context)
    done()
  }

  /** One that throws rejects: Fastify goes on after a hook that throws undefined. */
  function contextOf (request: FastifyRequest): Context | PromiseLike<Context> {
    try {
      return options.context(request)
    } catch (err) {
      return Promise.reject(err)
    }
  }

  /**
   * The last before the 101, and synchronous: nothing changes between its checks and the
   * upgrade.
   */
  const admit: preHandlerHookHandler = (request, reply, done) => {
    if (!request.ws) return done()
    if (isClosing()) return refuse(request, reply, new UnavailableError())
    // ws would answer with the first one offered, though it be a secret.
    const isOffered = request.headers['sec-websocket-protocol'] !== undefined
    if (isOffered) return refuse(request, reply, new UnsupportedProtocolError('none'))
    done()
  }

  return {
    exposeHeadRoute: true,
    errorHandler: answerError,
    ...withoutUndefined({ logLevel, logSerializers, preValidation }),
    ...withoutUndefined(route),
    method: 'GET',
    url: options.url,
    onRequest: [refuseIfClosing, ...[route.onRequest ?? []].flat()],
    preHandler: [...[route.preHandler ?? []].flat(), rememberContext, admit],
    handler: options.handler ?? tellTime,
    wsHandler (ws, request) {
      const { context, response } = (request as AdmittedRequest<Context>)[kAdmission]
      release(response, request)
      accept(ws, request, context)
    }
  }
}

/** What is known of an upgrade that is about to be made. */
interface Admission<Context> {
  readonly context: Context
  /** Answers nothing any more, but @fastify/websocket has tied it to the socket. */
  readonly response: ServerResponse
}

const kAdmission = Symbol('time-socket-admission')

interface AdmittedRequest<Context> extends FastifyRequest {
  [kAdmission]: Admission<Context>
}

/**
 * Unties the response from the socket: it would keep itself and the request alive for
 * as long as the connection. Undone is what `assignSocket` does; Node's documentation
 * names neither that nor `detachSocket`, so it may be missing one day.
 */
function release (response: ServerResponse, { raw }: FastifyRequest): void {
  if (raw.socket instanceof Socket) response.detachSocket?.(raw.socket)
}
