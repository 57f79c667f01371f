import type {
  FastifyReply, FastifyRequest, onRequestHookHandler, onResponseHookHandler
} from 'fastify'
import type { Observer } from '../observability/observer.js'
import { hasReachedHandler } from './plain-answer.js'
import { refuse } from './refusal-answer.js'
import type { Refusal } from './refusal-answer.js'
import type { RefusalCause } from '../api/stats.js'
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
  FST_TIME_SOCKET_HANDSHAKE_TIMEOUT: 'timeout',
  FST_TIME_SOCKET_UNAVAILABLE: 'closing'
}

export function createRefusals<Context> (
  observer: Observer<Context>, guard: UpgradeGuard
): Refusals {
  function count (request: CountedRequest, cause: RefusalCause, code?: string): void {
    if (request[kCounted] === true) return
    request[kCounted] = true
    observer.refused(cause, code)
  }

  function countEnd (request: FastifyRequest, end: UpgradeEnd): void {
    if (end === 'left') count(request, 'aborted')
    // Of all who answer, only ws tells nobody: the handshake was not that of RFC 6455 §4.2.1.
    else if (end === 'answered') count(request, 'protocol')
    else count(request, CAUSES[end.code] ?? 'hook', end.code)
  }

  return {
    follow (request, _reply, done) {
      if (request.ws) guard.onEnd(request.raw.socket, (end) => countEnd(request, end))
      done()
    },
    notice (request, _reply, done) {
      // Answered by a hook so early that @fastify/websocket did not get to say what it is.
      if (request.ws || guard.isUpgrading(request.raw)) count(request, 'hook')
      else observer.counters.http[hasReachedHandler(request) ? 'answered' : 'refused']++
      done()
    },
    refuse (request, reply, refusal) {
      if (request.ws) countEnd(request, refusal)
      refuse(request, reply, refusal)
    }
  }
}

const kCounted = Symbol('time-socket-counted')

interface CountedRequest extends FastifyRequest {
  [kCounted]?: boolean
}
