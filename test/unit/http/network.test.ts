import { isIP } from 'node:net'
import fc from 'fast-check'
import { test } from 'tap'
import { networkOf } from '../../../src/util/address.js'

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
  test(`${ip || 'no address'} is of ${network || 'no network'}`, async (t) => {
    t.equal(networkOf(ip), network)
  })
}

test('two IPv6 addresses are of one network exactly if their first 64 bits are alike', async () => {
  const group = fc.integer({ min: 1, max: 0xfff }).map((value) => value.toString(16))
  const half = fc.array(group, { minLength: 4, maxLength: 4 })
  fc.assert(fc.property(half, half, half, (left, right, other) => {
    const address = [...left, ...right].join(':')
    return isIP(address) === 6 && networkOf(address) === left.join(':') &&
      networkOf([...left, ...other].join(':')) === networkOf(address)
  }))
})
