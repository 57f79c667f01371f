import { isIPv6 } from 'node:net'

/** An IPv4 address as IPv6 writes it (RFC 4291 §2.5.5.2), in the URL standard's form. */
const MAPPED = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/
/** How many of the eight groups of an IPv6 address are the network, a /64. */
const NETWORK_GROUPS = 4

/**
 * What counts as one address: an IPv4 address itself, also as an IPv6 address that stands
 * for it; of any other IPv6 address its /64, all of which one subscriber has (RFC 6177).
 * A zone id (RFC 4007 §11) does not count. Other text is returned as it is.
 */
export function networkOf (ip: string): string {
  if (!isIPv6(ip)) return ip
  const [address = ''] = ip.split('%')
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = MAPPED.exec(canonical) ?? []
  if (high !== undefined && low !== undefined) return `${toBytes(high)}.${toBytes(low)}`
  return groupsOf(canonical).slice(0, NETWORK_GROUPS).join(':')
}

/** All eight groups: `::` stands for those that are zero. */
function groupsOf (canonical: string): string[] {
  const [before = [], after = []] = canonical.split('::')
    .map((groups) => groups.split(':').filter((group) => group !== ''))
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}

/** Two bytes in hexadecimal, as IPv4 writes them. */
function toBytes (group: string): string {
  const value = parseInt(group, 16)
  return `${value >> 8}.${value & 255}`
}
