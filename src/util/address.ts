import { isIPv4, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** The address of a request: `request.ip`, or `''`, and the TCP port, or 0. */
export interface Address {
  readonly ip: string
  readonly port: number
}

/** The forms `[2001:db8::1]:40001` and `203.0.113.7:40001`, which some load balancers forward. */
const BRACKETED = /^\[([^\]]+)\](?::\d{1,5})?$/
const WITH_PORT = /^([\d.]+):\d{1,5}$/
/** An IPv4 address as IPv6 writes it (RFC 4291 §2.5.5.2), in the URL standard's form. */
const MAPPED = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/
/** How many of the eight groups of an IPv6 address form the network, a /64. */
const NETWORK_GROUPS = 4

/**
 * Returns the address of a request. An injected request has no socket, a request over a Unix socket
 * has no address, and a request whose client has reset the connection has neither. `request.ip` may
 * throw.
 */
export function addressOf (request: FastifyRequest): Address {
  try {
    return { ip: withoutPort(request.ip ?? ''), port: request.socket?.remotePort ?? 0 }
  } catch {
    return { ip: '', port: 0 }
  }
}

/** Removes the port: with it, `maxClientsPerIp` would count each connection separately. */
function withoutPort (ip: string): string {
  const bracketed = BRACKETED.exec(ip)?.[1]
  if (bracketed !== undefined && isIPv6(bracketed)) return bracketed
  const address = WITH_PORT.exec(ip)?.[1]
  return address !== undefined && isIPv4(address) ? address : ip
}

/**
 * Returns what `maxClientsPerIp` counts as one address: the IPv4 address, even if it is mapped to
 * IPv6; or the /64 of any other IPv6 address, because one subscriber has all of it (RFC 6177). A
 * zone id (RFC 4007 §11) is ignored. Other text is returned unchanged.
 */
export function networkOf (ip: string): string {
  if (!isIPv6(ip)) return ip
  const [address = ''] = ip.split('%')
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = MAPPED.exec(canonical) ?? []
  if (high !== undefined && low !== undefined) return `${toBytes(high)}.${toBytes(low)}`
  return groupsOf(canonical).slice(0, NETWORK_GROUPS).join(':')
}

/** All eight groups of an address in which `::` abbreviates zeros. */
function groupsOf (canonical: string): string[] {
  const [before = [], after = []] = canonical.split('::')
    .map((groups) => groups.split(':').filter((group) => group !== ''))
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}

/** Converts two bytes from hexadecimal to dotted decimal, as in an IPv4 address. */
function toBytes (group: string): string {
  const value = parseInt(group, 16)
  return `${value >> 8}.${value & 255}`
}
