import type {
  FastifyRequest, onRequestHookHandler, onSendHookHandler, RouteOptions
} from 'fastify'
import type { WebSocket } from 'ws'
import { UnavailableError, UpgradeRequiredError } from '../api/errors.js'
import type { ResolvedOptions } from '../api/options.js'
import type { Admitted, Connections } from '../connections/connection-lifecycle.js'
import type { Shutdown } from '../connections/shutdown.js'
import type { FailureLog } from '../observability/failure-log.js'
import type { WallClock } from '../time/wall-clock.js'
import type { Timers } from '../util/timers.js'
import { withoutUndefined } from '../util/values.js'
import { createAdmission, toError } from './admission.js'
import type { Check } from './admission.js'
import type { Capacity } from './capacity.js'
import type { ErrorHandler } from './error-handler.js'
import { keepReplyHeaders } from './handshake-headers.js'
import { createCors, createOrigins } from './origin-check.js'
import { isAnsweredByApp } from './plain-answer.js'
import type { PlainAnswers } from './plain-answer.js'
import type { Refusal } from './refusal-answer.js'
import type { Refusals } from './refusals.js'
import type { UpgradeGuard } from './upgrade/upgrade-guard.js'
import { removeFromWebsocketServer } from './websocket-server.js'

export interface RouteParts<Context> {
  options: ResolvedOptions<Context>
  clock: WallClock
  timers: Timers
  /** Logs errors of the application's hooks and callbacks, which clients may provoke. */
  failureLog: FailureLog
  /** Answers these errors. */
  handleError: ErrorHandler
  /** Once the shutdown has begun, all requests are refused. */
  shutdown: Pick<Shutdown, 'hasStarted' | 'close'>
  /** Refuses plain requests that wait too long. The upgrade guard limits upgrades. */
  limitTime: onRequestHookHandler
  capacity: Capacity
  refusals: Refusals
  /** Answers plain HTTP. */
  plainAnswers: PlainAnswers
  guard: UpgradeGuard
  connections: Pick<Connections<Context>, 'accept'>
}

/**
 * Creates the time socket's route, which serves both upgrades and plain HTTP. Both run the same
 * hooks and get the same refusals, so that a page can learn why its upgrade was refused.
 */
export function createRoute<Context> (parts: RouteParts<Context>): RouteOptions {
  const { options, clock, timers, failureLog, shutdown, capacity, refusals, plainAnswers } = parts
  const { route, logLevel, logSerializers, preValidation } = options
  const { admit, checkExpiry, chooseSubprotocol, complete } =
    createAdmission({ options, clock, timers })
  const origins = createOrigins(options.origin)

  // The limits on clients do not apply to plain HTTP.
  const checkCapacity: Check = (request) => request.ws ? capacity.checkCapacity(request) : undefined

  const checkAvailable: Check = () => shutdown.hasStarted ? new UnavailableError() : undefined

  /** Creates a hook that refuses a request with the first refusal of these checks. */
  function createCheckHook (...checks: readonly Check[]): onRequestHookHandler {
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

  const freeInjected: onSendHookHandler = (request, _reply, payload, done) => {
    capacity.freeInjected(request)
    done(null, payload)
  }

  return {
    exposeHeadRoute: true,
    errorHandler: parts.handleError,
    ...withoutUndefined({ logLevel, logSerializers, preValidation }),
    ...withoutUndefined(route),
    method: 'GET',
    url: options.url,
    onRequest: [
      refusals.trackUpgrade,
      parts.limitTime,
      createCheckHook(checkAvailable, origins.check, checkUpgradeHeader, checkCapacity),
      ...listOf(route.onRequest)
    ],
    // The last hooks are synchronous, so nothing changes between them and the 101.
    preHandler: [
      ...listOf(route.preHandler),
      admit,
      createCheckHook(checkAvailable, checkExpiry, chooseSubprotocol),
      keepReplyHeaders
    ],
    onSend: [
      freeInjected,
      ...listOf(route.onSend),
      plainAnswers.refresh,
      createCors({ origins, isAnsweredByApp, failureLog })
    ],
    onResponse: [...listOf(route.onResponse), refusals.countAnswer],
    handler: plainAnswers.handler,
    wsHandler (ws, request) {
      handOver(parts, { ws, request, admitted: complete(request) })
    }
  }
}

interface Opened<Context> {
  readonly ws: WebSocket
  readonly request: FastifyRequest
  readonly admitted: Admitted<Context>
}

/** Hands a WebSocket over after its 101: from the upgrade guard to the connections. */
function handOver<Context> (
  { guard, capacity, connections, shutdown }: RouteParts<Context>,
  { ws, request, admitted }: Opened<Context>
): void {
  const { socket } = request.raw
  removeFromWebsocketServer(request.server.websocketServer, ws)
  guard.remove(socket)
  capacity.compact(request)
  const client = connections.accept(ws, socket, admitted)
  // Other plugins may have delayed the upgrade after the last check.
  if (shutdown.hasStarted) shutdown.close(client)
}

/** Refuses a WebSocket handshake whose `Upgrade` header a proxy has removed. */
function checkUpgradeHeader ({ ws, method, raw }: FastifyRequest): Refusal | undefined {
  const isHandshake = method === 'GET' && raw.headers['sec-websocket-key'] !== undefined
  if (ws || !isHandshake || raw.httpVersion !== '1.1') return undefined
  return Object.assign(new UpgradeRequiredError(), { headers: { upgrade: 'websocket' } })
}

/** The hooks of an option that takes one, several or none. */
function listOf<Hook> (hooks: Hook | Hook[] | undefined): Hook[] {
  return [hooks ?? []].flat() as Hook[]
}
