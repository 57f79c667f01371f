import { isIP } from 'node:net'
import fc from 'fast-check'
import type { FastifyRequest } from 'fastify'
import { test } from 'tap'
import { addressOf, networkOf } from '../../../src/util/address.js'

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
  ['of IPv6 without brackets, unchanged', { ip: '2001:db8::1' }, { ip: '2001:db8::1', port: 0 }],
  ['that is not valid, unchanged', { ip: '[unknown]:1' }, { ip: '[unknown]:1', port: 0 }],
  ['that only looks valid, unchanged', { ip: '1.2.3:80' }, { ip: '1.2.3:80', port: 0 }],
  ['of a socket that has reset', { ip: undefined, socket: {} }, { ip: '', port: 0 }],
  ['without a socket', { ip: undefined, socket: undefined }, { ip: '', port: 0 }],
  ['that the request cannot name', { get ip () { throw new TypeError('no socket') } }, { ip: '', port: 0 }]
]

for (const [title, request, address] of addresses) {
  test(`finds the address ${title}`, async (t) => {
    t.strictSame(addressOf(request as FastifyRequest), address)
  })
}

const networks: [ip: string, network: string][] = [
  ['127.0.0.1', '127.0.0.1'],
  ['255.255.255.255', '255.255.255.255'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['::ffff:c000:207', '192.0.2.7'],
  ['0:0:0:0:0:ffff:0:1', '0.0.0.1'],
  ['::ffff:192.0.2.7%eth0', '192.0.2.7'],
  ['::1', '0:0:0:0'],
  ['::', '0:0:0:0'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8::', '2001:db8:0:0'],
  ['2001:DB8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0'],
  ['2001:db8:0:1::1', '2001:db8:0:1'],
  ['2001:0db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['1::2:3:4:5:6', '1:0:0:2'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['fe80::2%1', 'fe80:0:0:0'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0'],
  ['', ''],
  ['unknown', 'unknown'],
  ['[::1]', '[::1]'],
  ['192.0.2.7:80', '192.0.2.7:80']
]

for (const [ip, network] of networks) {
  test(`${ip || 'no address'} belongs to ${network || 'no network'}`, async (t) => {
    t.equal(networkOf(ip), network)
  })
}

test('two IPv6 addresses belong to one network exactly if their first 64 bits are equal', async () => {
  const group = fc.integer({ min: 1, max: 0xfff }).map((value) => value.toString(16))
  const half = fc.array(group, { minLength: 4, maxLength: 4 })
  fc.assert(fc.property(half, half, half, (left, right, other) => {
    const address = [...left, ...right].join(':')
    return isIP(address) === 6 && networkOf(address) === left.join(':') &&
      networkOf([...left, ...other].join(':')) === networkOf(address)
  }))
})
