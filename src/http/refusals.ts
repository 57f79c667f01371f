import type {
  FastifyReply, FastifyRequest, onRequestHookHandler, onResponseHookHandler
} from 'fastify'
import { UpgradeRequiredError } from '../api/errors.js'
import type { Log } from '../observability/log.js'
import type { Observer } from '../observability/observer.js'
import { hasReachedHandler } from './plain-answer.js'
import { refuse } from './refusal-answer.js'
import type { Refusal } from './refusal-answer.js'
import type { RefusalCause } from '../api/stats.js'
import type { Timers } from '../util/timers.js'
import type { UpgradeEnd, UpgradeGuard } from './upgrade-guard.js'

/** Refuses requests, and counts plain ones and the upgrades that come to nothing: each once. */
export interface Refusals {
  /** The first hook: from it on, somebody wants to know what becomes of an upgrade. */
  readonly follow: onRequestHookHandler
  /** The last hook: counts what has been answered by HTTP. */
  readonly notice: onResponseHookHandler
  refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void
}

/** By the code of our error; of any other, a callback of the application's is the cause. */
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

/** Refusals that the plugin decides on by itself: they are logged, so that a developer sees why. */
const LOGGED_CAUSES: ReadonlySet<RefusalCause> =
  new Set(['origin', 'capacity', 'capacityPerIp', 'protocol', 'timeout'])

/** How long a cause is quiet after a line. */
const QUIET_MS = 10_000

export interface RefusalsOptions<Context> {
  observer: Observer<Context>
  guard: UpgradeGuard
  log: Log
  timers: Timers
}

export function createRefusals<Context> (
  { observer, guard, log, timers }: RefusalsOptions<Context>
): Refusals {
  /** Refusals since the last line, and until when there is no other, for each cause. */
  const logged = new Map<RefusalCause, { count: number, quietUntilMs: number }>()

  function count (request: CountedRequest, cause: RefusalCause, refusal?: Refusal): void {
    if (request[kCounted] === true) return
    request[kCounted] = true
    observer.refused(cause, refusal?.code)
    if (LOGGED_CAUSES.has(cause)) warn(cause, refusal)
  }

  /** At most one line for each cause in ten seconds: any client can have itself refused. */
  function warn (cause: RefusalCause, refusal: Refusal | undefined): void {
    const state = logged.get(cause) ?? { count: 0, quietUntilMs: -Infinity }
    logged.set(cause, state)
    state.count++
    const nowMs = timers.monotonic()
    if (nowMs < state.quietUntilMs) return
    const { code, message = 'no valid WebSocket handshake', details = {} } = refusal ?? {}
    log.warn({ cause, code, count: state.count, ...details }, `upgrade refused: ${message}`)
    state.count = 0
    state.quietUntilMs = nowMs + QUIET_MS
  }

  function countEnd (request: FastifyRequest, end: UpgradeEnd): void {
    if (end === 'left') count(request, 'aborted')
    // Of all who answer, only ws tells nobody: the handshake was not that of RFC 6455 §4.2.1.
    else if (end === 'answered') count(request, 'protocol')
    else count(request, CAUSES[end.code] ?? 'hook', end)
  }

  return {
    follow (request, _reply, done) {
      if (request.ws) guard.onEnd(request.raw.socket, (end) => countEnd(request, end))
      done()
    },
    notice (request, _reply, done) {
      // Answered by a hook so early that @fastify/websocket did not get to say what it is.
      if (request.ws || guard.isUpgrading(request.raw)) count(request, 'hook')
      else if (!isCounted(request)) {
        observer.counters.http[hasReachedHandler(request) ? 'answered' : 'refused']++
      }
      done()
    },
    refuse (request, reply, refusal) {
      if (request.ws || refusal instanceof UpgradeRequiredError) countEnd(request, refusal)
      refuse(request, reply, refusal)
    }
  }
}

const kCounted = Symbol('time-socket-counted')

function isCounted (request: CountedRequest): boolean {
  return request[kCounted] === true
}

interface CountedRequest extends FastifyRequest {
  [kCounted]?: boolean
}
