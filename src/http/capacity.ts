import { randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { addressOf, networkOf } from '../util/address.js'
import { TooManyClientsError, TooManyClientsFromIpError } from '../api/errors.js'
import { streamOf } from './upgrade/upgrade-socket.js'
import type { Refusal } from './refusal-answer.js'

/** The options `maxClients` and `maxClientsPerIp`. */
export interface CapacityOptions {
  maxClients: number
  maxClientsPerIp: number
}

/** Enforces the client limits of one time socket. */
export interface Capacity {
  /**
   * Returns why there is no room for a request. If there is room, an upgrade gets a slot. The slot
   * is freed when the socket closes: no other event is emitted for every way an upgrade can end.
   */
  checkCapacity (request: FastifyRequest): Refusal | undefined
  /** Re-attaches the close listener of a completed upgrade, which saves 130 bytes per client. */
  compact (request: FastifyRequest): void
  /**
   * Frees the slot of an upgrade of `injectWS` that is refused. Its stream does not close by itself
   * in Node.js 20 and 22. A socket's slot is freed when the socket closes.
   */
  freeInjected (request: FastifyRequest): void
}

/** The largest `Retry-After`, in seconds. */
const MAX_RETRY_S = 5

/** Creates the limits. A connection counts from its upgrade request on, until its socket closes. */
export function createCapacity ({ maxClients, maxClientsPerIp }: CapacityOptions): Capacity {
  if (maxClients === Infinity && maxClientsPerIp === Infinity) return UNLIMITED
  /** Each socket that has a slot, and the network that the socket counts for. */
  const networks = new Map<Duplex, string>()
  const counts = new Map<string, number>()

  function takeSlot (stream: Duplex, network: string): void {
    networks.set(stream, network)
    counts.set(network, countOf(network) + 1)
    // One function for all sockets, because a closure for each would cost memory.
    stream.on('close', freeSlot)
  }

  function freeSlot (this: Duplex): void {
    const network = networks.get(this) as string
    networks.delete(this)
    if (countOf(network) > 1) counts.set(network, countOf(network) - 1)
    else counts.delete(network)
  }

  function countOf (network: string): number {
    return counts.get(network) ?? 0
  }

  return {
    checkCapacity (request) {
      if (networks.size >= maxClients) return retryLater(new TooManyClientsError())
      // Clients without an address, as over a Unix socket, count as one address.
      const network = networkOf(addressOf(request).ip)
      if (countOf(network) >= maxClientsPerIp) return retryLater(new TooManyClientsFromIpError())
      const stream = request.ws ? streamOf(request.raw) : undefined
      // A destroyed stream never becomes a client, and may have emitted close already.
      if (stream?.destroyed === false) takeSlot(stream, network)
      return undefined
    },
    compact (request) {
      // The array of listeners keeps the space of removed listeners. Adding the listener
      // again frees that space.
      streamOf(request.raw)?.off('close', freeSlot).on('close', freeSlot)
    },
    freeInjected ({ raw }) {
      const stream = streamOf(raw)
      if (stream === undefined || stream === raw.socket || !networks.has(stream)) return
      stream.off('close', freeSlot)
      freeSlot.call(stream)
    }
  }
}

const UNLIMITED: Capacity = { checkCapacity: () => undefined, compact () {}, freeInjected () {} }

/** Adds a random `Retry-After`, so that clients refused together do not return together. */
function retryLater (refusal: Refusal): Refusal {
  return Object.assign(refusal, { headers: { 'retry-after': String(randomInt(MAX_RETRY_S) + 1) } })
}
