import type { FastifyError } from '@fastify/error'
import type {
  FastifyReply, FastifyRequest, onRequestHookHandler, onResponseHookHandler
} from 'fastify'
import type { Observer } from './observer.js'
import { refuse } from './refusal.js'
import type { Refusal } from './refusal.js'
import type { RefusalCause } from './types.js'
import type { UpgradeGuard } from './upgrade-guard.js'

/** Refuses requests, and counts the upgrades that come to nothing: each of them once. */
export interface Refusals {
  /** The first hook: from it on, somebody wants to know what becomes of an upgrade. */
  readonly follow: onRequestHookHandler
  /** The last hook, which only upgrades meet that were answered by HTTP. */
  readonly notice: onResponseHookHandler
  refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void
}

/** By the code of the error; of any other, a hook or callback of the application's is the cause. */
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
  /** @param refusal undefined if the client left first. */
  function count (request: FastifyRequest, refusal: Partial<FastifyError> | undefined): void {
    if (!request.ws || (request as CountedRequest)[kCounted]) return
    (request as CountedRequest)[kCounted] = true
    const { code } = refusal ?? {}
    const cause = refusal === undefined ? 'aborted' : CAUSES[code ?? ''] ?? 'hook'
    observer.refused(cause, code)
  }

  return {
    follow (request, _reply, done) {
      if (request.ws) guard.follow(request.raw.socket, (refusal) => count(request, refusal))
      done()
    },
    notice (request, _reply, done) {
      count(request, {})
      done()
    },
    refuse (request, reply, refusal) {
      count(request, refusal)
      refuse(request, reply, refusal)
    }
  }
}

const kCounted = Symbol('time-socket-counted')

interface CountedRequest extends FastifyRequest {
  [kCounted]?: boolean
}
