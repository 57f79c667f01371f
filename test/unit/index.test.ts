import { test } from 'tap'
import * as entry from '../../src/index.js'

test('exports the plugin, as default and by name, and every error', async (t) => {
  const { default: plugin, ...named } = entry
  t.equal(plugin, entry.fastifyTimeSocket)
  t.strictSame(Object.keys(named).sort(), [
    'BackplaneClosedError', 'ExpiredError', 'HandshakeTimeoutError', 'InvalidArgumentError',
    'InvalidOptionError', 'NamespaceTakenError', 'OriginForbiddenError', 'TooManyClientsError',
    'TooManyClientsFromIpError', 'TooManyScheduledError', 'UnavailableError',
    'UnsupportedProtocolError', 'UpgradeRequiredError', 'fastifyTimeSocket'
  ])
})

test('declares its name and the Fastify version', async (t) => {
  const { [Symbol.for('plugin-meta')]: meta, [Symbol.for('skip-override')]: isOpen } =
    entry.default as unknown as Record<symbol, unknown>
  t.strictSame([meta, isOpen], [{ name: 'fastify-time-socket', fastify: '>=5.7.4 <6' }, true])
})
