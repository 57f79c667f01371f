import type { FastifyRequest } from 'fastify'
import { test } from 'tap'
import { addressOf } from '../../../src/http/address.js'

const addresses: [title: string, request: object, address: object][] = [
  ['of a socket', { ip: '192.0.2.7', socket: { remotePort: 4711 } }, { ip: '192.0.2.7', port: 4711 }],
  ['behind a proxy, with the proxy\'s port',
    { ip: '192.0.2.8', socket: { remoteAddress: '192.0.2.7', remotePort: 4711 } },
    { ip: '192.0.2.8', port: 4711 }],
  ['of a socket that has reset', { ip: undefined, socket: {} }, { ip: '', port: 0 }],
  ['without a socket', { ip: undefined, socket: undefined }, { ip: '', port: 0 }],
  ['that cannot be told', { get ip () { throw new TypeError('no socket') } }, { ip: '', port: 0 }]
]

for (const [title, request, address] of addresses) {
  test(`finds the address ${title}`, async (t) => {
    t.strictSame(addressOf(request as FastifyRequest), address)
  })
}
