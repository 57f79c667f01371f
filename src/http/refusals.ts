import { STATUS_CODES } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { FastifyError } from '@fastify/error'
import type {
  FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler, onResponseHookHandler
} from 'fastify'
import { HandshakeTimeoutError, UnavailableError, UpgradeRequiredError } from '../api/errors.js'
import type { RefusalCause } from '../api/stats.js'
import type { Log } from '../observability/log.js'
import type { Telemetry } from '../observability/telemetry.js'
import type { Timers } from '../util/timers.js'
import type { OnUpgradeEnd, UpgradeEnd, UpgradeGuard } from './upgrade/upgrade-guard.js'

/** Why a request is refused. Fastify also sends the `headers` of an error. */
export interface Refusal extends FastifyError {
  /** Headers of the answer. */
  headers?: Readonly<Record<string, string>>
  /** Further fields of the log line. */
  details?: Readonly<Record<string, string>>
}

/** Refuses requests. Counts, once each, plain requests and upgrades that are not completed. */
export interface Refusals {
  /**
   * Counts an upgrade that ends before the route's first hook runs: in a hook of the application
   * that was added before this plugin.
   */
  readonly onEarlyEnd: OnUpgradeEnd
  /** The route's first hook: makes sure that an upgrade is counted if it is not completed. */
  readonly trackUpgrade: onRequestHookHandler
  /** The route's last hook: counts a request that was answered over plain HTTP. */
  readonly countAnswer: onResponseHookHandler
  /** Answers a request with a refusal, and counts it if the request asked for an upgrade. */
  refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void
}

/** The cause for each error code. Any other code has the cause `hook`. */
const CAUSES: Readonly<Record<string, RefusalCause>> = {
  FST_TIME_SOCKET_ORIGIN_FORBIDDEN: 'origin',
  FST_TIME_SOCKET_TOO_MANY_CLIENTS: 'capacity',
  FST_TIME_SOCKET_TOO_MANY_CLIENTS_FROM_IP: 'capacityPerIp',
  FST_TIME_SOCKET_UNSUPPORTED_PROTOCOL: 'protocol',
  FST_TIME_SOCKET_UPGRADE_REQUIRED: 'protocol',
  FST_TIME_SOCKET_EXPIRED: 'expired',
  FST_TIME_SOCKET_HANDSHAKE_TIMEOUT: 'timeout',
  FST_TIME_SOCKET_UNAVAILABLE: 'closing'
}

/** The causes of refusals that the plugin decides by itself. They are logged for the developer. */
const LOGGED_CAUSES: ReadonlySet<RefusalCause> =
  new Set(['origin', 'capacity', 'capacityPerIp', 'protocol', 'timeout'])

/** Milliseconds within which a cause is logged at most once. */
const QUIET_MS = 10_000

export interface RefusalsOptions<Context> {
  telemetry: Telemetry<Context>
  guard: UpgradeGuard
  log: Log
  timers: Timers
}

/** Creates the hooks that refuse and count the requests of one time socket. */
export function createRefusals<Context> (
  { telemetry, guard, log, timers }: RefusalsOptions<Context>
): Refusals {
  /** For each cause: the refusals since its last log line, and when it may be logged again. */
  const logged = new Map<RefusalCause, { count: number, quietUntilMs: number }>()

  function count (request: CountedMessage, cause: RefusalCause, refusal?: Refusal): void {
    if (request[kCounted] === true) return
    request[kCounted] = true
    telemetry.refused(cause, refusal?.code)
    if (LOGGED_CAUSES.has(cause)) warn(cause, refusal)
  }

  /** Logs each cause at most once in 10 s, because any client can provoke refusals. */
  function warn (cause: RefusalCause, refusal: Refusal | undefined): void {
    const state = logged.get(cause) ?? { count: 0, quietUntilMs: -Infinity }
    logged.set(cause, state)
    state.count++
    const nowMs = timers.monotonic()
    if (nowMs < state.quietUntilMs) return
    const { code, message = 'the WebSocket handshake is not valid', details = {} } = refusal ?? {}
    log.warn({ cause, code, count: state.count, ...details }, `upgrade refused: ${message}`)
    state.count = 0
    state.quietUntilMs = nowMs + QUIET_MS
  }

  function countEnd (request: CountedMessage, end: UpgradeEnd): void {
    if (end === 'left') count(request, 'aborted')
    // Only ws answers without a hook or an error: the handshake breaks RFC 6455 §4.2.1.
    else if (end === 'answered') count(request, 'protocol')
    else count(request, CAUSES[end.code] ?? 'hook', end)
  }

  function onUpgradeEnd ({ id, raw }: FastifyRequest, end: UpgradeEnd): void {
    countEnd(raw, end)
    if (typeof end === 'object') logRefusal(log, end, id)
  }

  return {
    onEarlyEnd (end, request) {
      // The answer of a hook is counted by `countAnswer`.
      if (end === 'answered') return
      countEnd(request, end)
      if (end !== 'left') logRefusal(log, end)
    },
    trackUpgrade (request, _reply, done) {
      // A second copy of @fastify/websocket, in a scope around this one, sets request.ws to false.
      if (guard.isUpgrading(request.raw)) request.ws = true
      if (request.ws) guard.onEnd(request.raw.socket, (end) => onUpgradeEnd(request, end))
      done()
    },
    countAnswer (request, _reply, done) {
      // A hook has answered before @fastify/websocket could set request.ws.
      if (request.ws || guard.isUpgrading(request.raw)) count(request.raw, 'hook')
      else if (!isCounted(request.raw)) {
        telemetry.counters.http[isHandled(request) ? 'answered' : 'refused']++
      }
      done()
    },
    refuse (request, reply, refusal) {
      if (request.ws || refusal instanceof UpgradeRequiredError) {
        countEnd(request.raw, refusal)
      }
      sendRefusal(request, reply, refusal, log)
    }
  }
}

const kCounted = Symbol('time-socket-counted')
const kHandled = Symbol('time-socket-handled')

function isCounted (request: CountedMessage): boolean {
  return request[kCounted] === true
}

interface CountedMessage extends IncomingMessage {
  [kCounted]?: boolean
}

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

function logRefusal (log: Log, { code }: FastifyError, reqId?: string): void {
  log.debug({ code, reqId }, 'refused')
}

export interface TimeLimitOptions {
  timeoutMs: number
  timers: Timers
  log: Log
}

/**
 * Creates an `onRequest` hook that refuses a plain request with 503 if its answer has not begun
 * after `timeoutMs`. When the application closes, the plain requests that have not reached the
 * handler are refused, too: `app.close()` would wait for them.
 *
 * The upgrade guard limits upgrades, because Fastify does not learn when the client of an upgrade
 * leaves. For the same reason this hook does not use Fastify's `handlerTimeout`: that would keep an
 * abandoned upgrade in memory until its time is over, and would cut off long answers.
 */
export function createTimeLimit (
  app: FastifyInstance, { timeoutMs, timers, log }: TimeLimitOptions
): onRequestHookHandler {
  /** Refuses a request unless its answer has begun. */
  function refuseUnsent (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void {
    // A hijacked reply counts as sent: other code answers it.
    if (!reply.sent && !reply.raw.headersSent) sendRefusal(request, reply, refusal, log)
  }

  const pending = new Map<FastifyRequest, FastifyReply>()
  // Added in onReady, this hook runs before Fastify's own, which waits for the connections.
  app.addHook('onReady', async () => {
    app.addHook('onClose', async () => {
      for (const [request, reply] of pending) {
        if (!isHandled(request)) refuseUnsent(request, reply, new UnavailableError())
      }
    })
  })
  return (request, reply, done) => {
    if (!request.ws) {
      const expire = () => refuseUnsent(request, reply, new HandshakeTimeoutError())
      const stop = timers.after(timeoutMs, expire)
      pending.set(request, reply)
      reply.raw.once('close', () => {
        stop()
        pending.delete(request)
      })
    }
    done()
  }
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
