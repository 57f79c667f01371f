import type { FastifyRequest } from 'fastify'
import { test } from 'tap'
import { addressOf } from '../../../src/util/address.js'

const addresses: [title: string, request: object, address: object][] = [
  ['of a socket', { ip: '192.0.2.7', socket: { remotePort: 4711 } }, { ip: '192.0.2.7', port: 4711 }],
  ['behind a proxy, with the proxy\'s port',
    { ip: '192.0.2.8', socket: { remoteAddress: '192.0.2.7', remotePort: 4711 } },
    { ip: '192.0.2.8', port: 4711 }],
  ['without its port, as some proxies forward it',
    { ip: '203.0.113.7:40001', socket: { remotePort: 4711 } }, { ip: '203.0.113.7', port: 4711 }],
  ['of IPv6 without its port',
    { ip: '[2001:db8::1]:40001', socket: { remotePort: 4711 } }, { ip: '2001:db8::1', port: 4711 }],
  ['of IPv6 in brackets', { ip: '[2001:db8::1]' }, { ip: '2001:db8::1', port: 0 }],
  ['of IPv6 without brackets as it is', { ip: '2001:db8::1' }, { ip: '2001:db8::1', port: 0 }],
  ['that is none as it is', { ip: '[unknown]:1' }, { ip: '[unknown]:1', port: 0 }],
  ['that only looks like one as it is', { ip: '1.2.3:80' }, { ip: '1.2.3:80', port: 0 }],
  ['of a socket that has reset', { ip: undefined, socket: {} }, { ip: '', port: 0 }],
  ['without a socket', { ip: undefined, socket: undefined }, { ip: '', port: 0 }],
  ['that cannot be told', { get ip () { throw new TypeError('no socket') } }, { ip: '', port: 0 }]
]

for (const [title, request, address] of addresses) {
  test(`finds the address ${title}`, async (t) => {
    t.strictSame(addressOf(request as FastifyRequest), address)
  })
}
