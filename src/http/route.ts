import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type {
  FastifyRequest, onRequestHookHandler, preHandlerHookHandler, RouteOptions
} from 'fastify'
import type { WebSocket } from 'ws'
import type { Admitted } from '../connections/connection-lifecycle.js'
import { addressOf } from '../util/address.js'
import { createCors } from './cors.js'
import { ExpiredError, UnavailableError, UpgradeRequiredError } from '../api/errors.js'
import { readExpiry } from './expiry.js'
import type { ExpiresAt, ResolvedOptions } from '../api/options.js'
import type { Fault } from '../observability/failure-log.js'
import { createOrigins } from './origin-check.js'
import { isAnsweredByHost } from './plain-answer.js'
import type { PlainAnswers } from './plain-answer.js'
import { TIME_PROTOCOL } from '../protocol/time-v1.js'
import { createErrorHandler } from './refusal-answer.js'
import type { Refusal } from './refusal-answer.js'
import type { Refusals } from './refusals.js'
import type { ServerClock } from '../time/server-time.js'
import { createSubprotocols } from './admission.js'
import { adopt, isThenable } from '../util/callbacks.js'
import type { Timers } from '../util/timers.js'
import { withoutUndefined } from '../util/values.js'

/** Says why a request is refused; undefined if it is not. */
type Check = (request: FastifyRequest) => Refusal | undefined

export interface RouteParts<Context> {
  options: ResolvedOptions<Context>
  clock: ServerClock
  timers: Timers
  /** Logs what hooks and callbacks of the application throw, which clients may provoke. */
  fault: Fault
  /** Whether newcomers are to be refused. */
  isClosing: () => boolean
  /** Refuses plain requests that wait too long; upgrades are guarded elsewhere. */
  limitTime: onRequestHookHandler
  /** Says why there is no room for a request; undefined if there is. */
  findRoom: Check
  refusals: Refusals
  /** Answers plain HTTP. */
  plainAnswers: PlainAnswers
  accept: (ws: WebSocket, request: FastifyRequest, admitted: Admitted<Context>) => void
}

/**
 * The one route, for the upgrade and for plain HTTP: what a hook answers to the
 * one, it answers to the other, so that a page can learn why it was refused.
 */
export function createRoute<Context> (parts: RouteParts<Context>): RouteOptions {
  const { options, clock, timers, fault, isClosing, limitTime, refusals, plainAnswers } = parts
  const { route, logLevel, logSerializers, preValidation } = options
  const agree = createSubprotocols([TIME_PROTOCOL, ...options.protocols])
  const origins = createOrigins(options.origin)

  // Plain HTTP is answered however many clients there are.
  const findRoom: Check = (request) => request.ws ? parts.findRoom(request) : undefined

  const isUnavailable: Check = () => isClosing() ? new UnavailableError() : undefined

  const isExpired: Check = (request) => {
    const { expiry } = (request as AdmittedRequest<Context>)[kAdmission]
    if (expiry === undefined || expiry.dueMs > timers.monotonic()) return undefined
    return new ExpiredError()
  }

  /**
   * Asks the application about whoever is about to connect. Asynchronous only if it is: an
   * upgrade is else done in one go.
   */
  const admit: preHandlerHookHandler = (request, reply, done) => {
    const admitAs = (context: Context | undefined, expiresAt: ExpiresAt) => {
      const expiry = readExpiry(expiresAt, clock.now(), timers.monotonic())
      const admission = { ...addressOf(request), context, expiry, response: reply.raw }
      Object.assign(request, { [kAdmission]: admission })
    }
    try {
      const context = request.ws ? options.context(request) : undefined
      const askExpiry = () => options.expiresAt?.(request)
      // A throw is kept for where the rejection of the context is waited for, too.
      const expiresAt = isThenable(context) ? Promise.resolve().then(askExpiry) : askExpiry()
      if (isThenable(context) || isThenable(expiresAt)) {
        const answers = Promise.all([adopt(context), adopt(expiresAt)])
        return answers.then(([context, expiresAt]) => admitAs(context, expiresAt))
      }
      admitAs(context, expiresAt)
    } catch (err) {
      return done(toError(err))
    }
    done()
  }

  /** A hook that refuses what does not pass all checks, in this order. */
  function passes (...checks: readonly Check[]): onRequestHookHandler {
    return (request, reply, done) => {
      try {
        for (const check of checks) {
          const refusal = check(request)
          if (refusal !== undefined) return refusals.refuse(request, reply, refusal)
        }
      } catch (err) {
        return done(toError(err))
      }
      done()
    }
  }

  return {
    exposeHeadRoute: true,
    errorHandler: createErrorHandler(fault),
    ...withoutUndefined({ logLevel, logSerializers, preValidation }),
    ...withoutUndefined(route),
    method: 'GET',
    url: options.url,
    onRequest: [
      refusals.follow,
      limitTime,
      passes(isUnavailable, origins.check, isStrippedUpgrade, findRoom),
      ...listOf(route.onRequest)
    ],
    // The last before the 101, synchronous: nothing changes between the checks and the upgrade.
    preHandler: [...listOf(route.preHandler), admit, passes(isUnavailable, isExpired, agree)],
    onSend: [
      ...listOf(route.onSend),
      plainAnswers.refresh,
      createCors({ origins, isAnsweredByHost, fault })
    ],
    onResponse: [...listOf(route.onResponse), refusals.notice],
    handler: plainAnswers.handler,
    wsHandler (ws, request) {
      const admission = (request as AdmittedRequest<Context>)[kAdmission]
      release(admission.response, request)
      parts.accept(ws, request, admission)
    }
  }
}

/** Refuses a WebSocket handshake that has come as a plain request. */
function isStrippedUpgrade ({ ws, method, raw }: FastifyRequest): Refusal | undefined {
  const isHandshake = method === 'GET' && raw.headers['sec-websocket-key'] !== undefined
  if (ws || !isHandshake || raw.httpVersion !== '1.1') return undefined
  return Object.assign(new UpgradeRequiredError(), { headers: { upgrade: 'websocket' } })
}

/** The hooks of an option that takes one, several or none. */
function listOf<Hook> (hooks: Hook | Hook[] | undefined): Hook[] {
  return [hooks ?? []].flat() as Hook[]
}

/** Fastify would go on after a hook that throws null or undefined. */
function toError (thrown: unknown): Error {
  return (thrown ?? new TypeError('nothing was thrown')) as Error
}

/** What is known of an upgrade that is about to be made. */
interface Admission<Context> extends Admitted<Context> {
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
