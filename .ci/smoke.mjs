// Runs where the packed package is installed, on any runtime: a server, and clients that connect
// to it. Exits with 1, and says why, unless all is as promised.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import process from 'node:process'
import fastify from 'fastify'
import timeSocket from 'fastify-time-socket'
import { ServerClock } from 'fastify-time-socket/client'
import { WebSocket } from 'ws'

const LIMIT_MS = 180_000
const require = createRequire(import.meta.url)

const limit = setTimeout(() => {
  console.error(`not done after ${LIMIT_MS} ms`)
  process.exit(1)
}, LIMIT_MS)

const app = fastify({ forceCloseConnections: true })
await app.register(timeSocket, { url: '/time', interval: 100 })
const address = await app.listen({ port: 0, host: '127.0.0.1' })

// Bun has no condition "module-sync": its require() loads the CommonJS build, a second copy.
const required = require('fastify-time-socket')
if (process.versions.bun === undefined) assert.equal(required, timeSocket)
else assert.equal(typeof required, 'function')

const { headers } = await fetch(`${address}/time`)
assert.match(headers.get('content-type'), /json/)

const socket = new WebSocket(`${address.replace('http', 'ws')}/time`, 'time.v1')
const messages = []
socket.on('message', (data) => messages.push(JSON.parse(String(data))))
await until(() => messages.some(({ type }) => type === 'tick'))

const clock = new ServerClock(`${address}/time`, { environment: { WebSocket } })
await clock.ready()
const wrongByMs = Math.abs(clock.now() - Date.now())
assert.ok(wrongByMs <= clock.error + 2, `wrong by ${wrongByMs} ms, error ${clock.error} ms`)

const received = new Promise((resolve) => {
  clock.addEventListener('message', ({ detail }) => resolve(detail))
})
app.timeSocket.broadcast({ hello: 'all' })
await received
await until(() => messages.some(({ type }) => type === 'message'))

const closed = new Promise((resolve) => socket.on('close', resolve))
clock.close()
await app.close()
assert.equal(await closed, 1001)
clearTimeout(limit)
console.log('all is well')

async function until (condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}
