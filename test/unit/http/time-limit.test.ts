import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { test } from 'tap'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createTimeLimit } from '../../../src/http/time-limit.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'
import { openRaw, request } from '../../helpers/network/raw.js'
import { waitFor, within } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createApp>[0]

const TIMED_OUT = {
  statusCode: 503,
  code: 'FST_TIME_SOCKET_HANDSHAKE_TIMEOUT',
  error: 'Service Unavailable',
  message: 'the time socket took too long to answer'
}
const hang = () => new Promise<void>(() => {})

/** A route that is limited to 1000 simulated milliseconds. */
async function setUp (t: Test, handler: RouteHandlerMethod) {
  const time = createFakeTime({ wallMs: 0 })
  const { app, log } = createApp(t)
  app.decorateRequest('ws', false)
  const onRequest = createTimeLimit(app, { timeoutMs: 1000, timers: time.timers, log: app.log })
  app.get('/', { onRequest }, handler)
  return { app, log, time, port: await listen(app) }
}

/** Lets the request arrive, so that its timer runs. */
async function arrival (time: { readonly pendingCount: number }): Promise<void> {
  await waitFor(() => time.pendingCount === 1, 'the request')
}

const stages: [title: string, options: TimeSocketOptions][] = [
  ['route.onRequest', { route: { onRequest: hang } }],
  ['preValidation', { preValidation: hang }],
  ['preValidation with a callback', { preValidation: (_request, _reply, _done) => {} }],
  ['route.preHandler', { route: { preHandler: hang } }],
  ['the handler', { handler: hang }]
]

for (const [title, options] of stages) {
  test(`on a real port, answers GET and HEAD with 503 when ${title} never settles`, async (t) => {
    const { app, log } = await createTimeApp(t, { handshakeTimeout: 50, ...options })
    const port = await listen(app)
    const [head = '', body = ''] = (await openRaw(port, request('/time')).ended).split('\r\n\r\n')
    t.match(head, /^HTTP\/1\.1 503 [^]*connection: close/i)
    t.strictSame(JSON.parse(body), TIMED_OUT)
    t.match(await openRaw(port, request('/time', { method: 'HEAD' })).ended, /^HTTP\/1\.1 503 [^]*\r\n\r\n$/)
    const lines = log.lines.filter(({ msg }) => msg === 'refused')
    t.strictSame(lines.map(({ level, code, timeSocket }) => [level, code, timeSocket]),
      Array(2).fill([20, TIMED_OUT.code, '/time']))
    await waitFor(() => app.timeSocket.stats().http.refused === 2, 'the count')
  })
}

test('waits for exactly handshakeTimeout', async (t) => {
  const { app, time } = await setUp(t, hang)
  const answer = app.inject('/')
  await arrival(time)
  time.advance(999)
  t.equal(time.pendingCount, 1)
  time.advance(1)
  t.strictSame((await answer).json(), TIMED_OUT)
})

test('keeps no timer for an answered request', async (t) => {
  const { port, time } = await setUp(t, async () => 'time')
  const answer = await fetch(`http://127.0.0.1:${port}`)
  t.equal(await answer.text(), 'time')
  await waitFor(() => time.pendingCount === 0, 'the end of the timer')
})

test('keeps no timer for a client that has disconnected', async (t) => {
  const { port, time } = await setUp(t, hang)
  const { socket } = openRaw(port, request('/'))
  await arrival(time)
  socket.resetAndDestroy()
  await waitFor(() => time.pendingCount === 0, 'the end of the timer')
})

test('does not interrupt an answer that has begun', async (t) => {
  let finish = (): void => {}
  const { port, time } = await setUp(t, async (_request, reply) => {
    const body = new Readable({ read () {} })
    body.push('it ')
    finish = () => {
      body.push('is')
      body.push(null)
    }
    return reply.send(body)
  })
  const answer = await fetch(`http://127.0.0.1:${port}`)
  time.advance(10_000)
  finish()
  t.strictSame([answer.status, await answer.text()], [200, 'it is'])
})

test('does not interrupt a hijacked reply', async (t) => {
  let finish = (): void => {}
  const { app, time, log } = await setUp(t, (_request, reply) => {
    reply.hijack()
    finish = () => { reply.raw.end('mine') }
  })
  const answer = app.inject('/')
  await arrival(time)
  time.advance(10_000)
  finish()
  t.equal((await answer).body, 'mine')
  t.strictSame([log.messages('debug'), log.messages('warn')], [[], []])
})

const latecomers: [title: string, late: (reply: FastifyReply) => unknown][] = [
  ['resolves', () => {}],
  ['rejects', () => { throw new Error('SECRET') }],
  ['answers', (reply) => reply.send('SECRET')]
]

for (const [title, late] of latecomers) {
  test(`a hook that ${title} too late has no effect, and no further hook is called`, async (t) => {
    let goOn = (): void => {}
    const waiting = new Promise<void>((resolve) => { goOn = resolve })
    let settled = false
    const { app } = await createTimeApp(t, {
      handshakeTimeout: 50,
      route: { preHandler: async () => { t.fail('asked') } },
      async preValidation (_request: FastifyRequest, reply: FastifyReply) {
        await waiting
        settled = true
        await late(reply)
      }
    })
    const url = `http://127.0.0.1:${await listen(app)}/time`
    t.strictSame(await (await fetch(url)).json(), TIMED_OUT)
    goOn()
    await waitFor(() => settled, 'the hook')
    t.equal((await fetch(url, { method: 'POST' })).status, 404, 'still there')
  })
}

test('an answer that waits for an onSend hook at the time limit is replaced by 503', async (t) => {
  let goOn = (): void => {}
  const waiting = new Promise<void>((resolve) => { goOn = resolve })
  let entered = 0
  const { app } = await createTimeApp(t, {
    handshakeTimeout: 50,
    route: {
      async onSend () {
        entered++
        await waiting
      }
    }
  })
  const answer = fetch(`http://127.0.0.1:${await listen(app)}/time`)
  await waitFor(() => entered === 2, 'the refusal, after the answer')
  goOn()
  t.equal((await answer).status, 503)
  t.equal((await answer).headers.get('connection'), 'close')
})

test('does not limit upgrades', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  let passed = false
  const { app } = createApp(t)
  const options = { timeoutMs: 1000, timers: time.timers, log: app.log }
  const hook = createTimeLimit(app, options) as unknown as
    (request: object, reply: object, done: () => void) => void
  hook({ ws: true }, {}, () => { passed = true })
  t.strictSame([passed, time.pendingCount], [true, 0])
})

for (const method of ['GET', 'HEAD'] as const) {
  test(`app.close does not wait for a ${method} that is being authenticated`, async (t) => {
    let asked = 0
    const { app } = await createTimeApp(t, {
      handshakeTimeout: 600_000, preValidation: async () => { asked++; await hang() }
    })
    const peer = openRaw(await listen(app), request('/time', { method }))
    await waitFor(() => asked === 1, 'the hook')
    await within(app.close(), 'closing')
    t.match(await peer.ended, /^HTTP\/1\.1 503 /)
  })
}

test('app.close waits for a running handler', async (t) => {
  let finish: (() => void) | undefined
  const { app } = await createTimeApp(t, {
    handler: async () => await new Promise((resolve) => { finish = () => resolve('done') })
  }, { forceCloseConnections: 'idle' })
  const headers = ['Connection: close']
  const peer = openRaw(await listen(app), request('/time', { headers }))
  await waitFor(() => finish !== undefined, 'the handler')
  const closed = app.close()
  await waitFor(() => !app.server.listening, 'closing')
  finish?.()
  t.match(await peer.ended, /^HTTP\/1\.1 200 [^]*done$/)
  await within(closed, 'closing')
})
