import { randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { addressOf, networkOf } from '../util/address.js'
import { TooManyClientsError, TooManyClientsFromIpError } from '../api/errors.js'
import { streamOf } from './upgrade-socket.js'
import type { Refusal } from './refusal-answer.js'

export interface CapacityOptions {
  maxClients: number
  maxClientsPerIp: number
}

/** The limits of one registration. */
export interface Capacity {
  /**
   * Says why there is no room for a request, and else takes a slot for it if it is an upgrade.
   * A slot is given back when the socket closes, whatever came of the upgrade: nothing else is
   * told of all the ways in which one may end.
   */
  findRoom (request: FastifyRequest): Refusal | undefined
  /** The upgrade has been made: its slot is now kept for long, and in little room. */
  settle (request: FastifyRequest): void
}

const MAX_RETRY_S = 5

/** Counts connections from their upgrade on, those included that are not WebSockets yet. */
export function createCapacity ({ maxClients, maxClientsPerIp }: CapacityOptions): Capacity {
  if (maxClients === Infinity && maxClientsPerIp === Infinity) return UNLIMITED
  /** Each socket with a slot, and the network that it counts for. */
  const networks = new Map<Duplex, string>()
  const counts = new Map<string, number>()

  function take (stream: Duplex, network: string): void {
    networks.set(stream, network)
    counts.set(network, countOf(network) + 1)
    // One function for all, not a closure for each.
    stream.on('close', giveBack)
  }

  function giveBack (this: Duplex): void {
    const network = networks.get(this) as string
    networks.delete(this)
    if (countOf(network) > 1) counts.set(network, countOf(network) - 1)
    else counts.delete(network)
  }

  function countOf (network: string): number {
    return counts.get(network) ?? 0
  }

  return {
    findRoom (request) {
      if (networks.size >= maxClients) return retryLater(new TooManyClientsError())
      // Clients without an address, as over a Unix socket, count as one address.
      const network = networkOf(addressOf(request).ip)
      if (countOf(network) >= maxClientsPerIp) return retryLater(new TooManyClientsFromIpError())
      const stream = request.ws ? streamOf(request.raw) : undefined
      // One that is destroyed never becomes a client, and may have told so already.
      if (stream?.destroyed === false) take(stream, network)
      return undefined
    },
    settle (request) {
      // An array of listeners keeps the room of those that have left, 130 bytes by now.
      streamOf(request.raw)?.off('close', giveBack).on('close', giveBack)
    }
  }
}

const UNLIMITED: Capacity = { findRoom: () => undefined, settle () {} }

/** Random, so that those who are refused together do not come back together. */
function retryLater (refusal: Refusal): Refusal {
  return Object.assign(refusal, { headers: { 'retry-after': String(randomInt(MAX_RETRY_S) + 1) } })
}
