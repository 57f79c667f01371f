/**
 * A CommonJS program that uses every entry of the package. Its function `run` rejects if anything
 * is not as promised.
 */
export const COMMONJS_PROGRAM = `
const assert = require('node:assert/strict')
const fastify = require('fastify')
const timeSocket = require('fastify-time-socket')
const { ServerClock, ServerClockError } = require('fastify-time-socket/client')
const { redisStreams } = require('fastify-time-socket/redis')
const { backplaneContract } = require('fastify-time-socket/backplane-contract')
const { ServerTimeElement } = require('fastify-time-socket/elements')
require('fastify-time-socket/elements/react')
const { WebSocket } = require('ws')

async function run () {
  const { default: plugin, fastifyTimeSocket, InvalidOptionError } = timeSocket
  assert.equal(plugin, timeSocket)
  assert.equal(fastifyTimeSocket, timeSocket)
  assert.equal(typeof backplaneContract, 'function')
  assert.equal(typeof ServerTimeElement, 'function')
  assert.throws(() => redisStreams({}), InvalidOptionError)
  assert.throws(() => new ServerClock('/time'), ServerClockError)

  const app = fastify()
  await app.register(timeSocket)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const served = await fetch(address + '/time/client.js')
  assert.equal(served.status, 200)

  const clock = new ServerClock(address + '/time', { environment: { WebSocket } })
  await clock.ready()
  const received = new Promise((resolve) => {
    clock.addEventListener('message', ({ detail }) => resolve(detail))
  })
  app.timeSocket.broadcast({ sold: 7 })
  assert.deepEqual(await received, { sold: 7 })
  clock.close()
  await app.close()
}
`
