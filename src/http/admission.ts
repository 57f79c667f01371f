import type { FastifyRequest } from 'fastify'
import { UnsupportedProtocolError } from '../api/errors.js'
import type { Refusal } from './refusal-answer.js'

const HEADER = 'sec-websocket-protocol'

/**
 * Agrees with an upgrade on a subprotocol (RFC 6455 §4.2.2): the first that is offered and
 * known. The header is rewritten to that one: ws would answer with the first, though it be a
 * secret, or ask a function that holds for the whole server. So this is the last look at a
 * request that is upgraded.
 *
 * @param known all that may be spoken, in the order in which a refusal lists them.
 * @returns a check that refuses upgrades that offer others only.
 */
export function createSubprotocols (
  known: readonly string[]
): (request: FastifyRequest) => Refusal | undefined {
  const names = new Set(known)
  const list = known.join(', ')
  return ({ ws, raw: { headers } }) => {
    const offered = ws ? headers[HEADER] : undefined
    if (offered === undefined) return undefined
    const chosen = offered.split(',').map((name) => name.trim()).find((name) => names.has(name))
    if (chosen === undefined) return new UnsupportedProtocolError(list)
    headers[HEADER] = chosen
    return undefined
  }
}
