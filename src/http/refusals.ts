import type { IncomingMessage } from 'node:http'
import type {
  FastifyReply, FastifyRequest, onRequestHookHandler, onResponseHookHandler
} from 'fastify'
import { UpgradeRequiredError } from '../api/errors.js'
import type { RefusalCause } from '../api/stats.js'
import type { Log } from '../observability/log.js'
import type { Telemetry } from '../observability/telemetry.js'
import type { Timers } from '../util/timers.js'
import { isHandled, logRefusal, sendRefusal } from './refusal-answer.js'
import type { Refusal } from './refusal-answer.js'
import type { OnUpgradeEnd, UpgradeEnd, UpgradeGuard } from './upgrade/upgrade-guard.js'

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

/** Creates the `Refusals` of one time socket. */
export function createRefusals<Context> (
  { telemetry, guard, log, timers }: RefusalsOptions<Context>
): Refusals {
  /** For each cause: the refusals since its last log line, and when it may be logged again. */
  const logged = new Map<RefusalCause, { count: number, quietUntilMs: number }>()

  function count (request: CountedMessage, cause: RefusalCause, refusal?: Refusal): void {
    if (isCounted(request)) return
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
      if (request.ws || refusal instanceof UpgradeRequiredError) countEnd(request.raw, refusal)
      sendRefusal(request, reply, refusal, log)
    }
  }
}

const kCounted = Symbol('time-socket-counted')

function isCounted (request: CountedMessage): boolean {
  return request[kCounted] === true
}

interface CountedMessage extends IncomingMessage {
  [kCounted]?: boolean
}
