import type { FastifyRequest } from 'fastify'

/** Where a request comes from: `request.ip`, and the TCP port; `''` and 0 where there is none. */
export interface Address {
  readonly ip: string
  readonly port: number
}

/**
 * An injected request has no socket, and a client that has reset already no address:
 * `request.ip` may even throw.
 */
export function addressOf (request: FastifyRequest): Address {
  try {
    return { ip: request.ip ?? '', port: request.socket?.remotePort ?? 0 }
  } catch {
    return { ip: '', port: 0 }
  }
}
