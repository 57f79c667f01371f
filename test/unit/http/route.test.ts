import type { FastifyReply, FastifyRequest } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { connect, refused } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]

/** What an upgrade, a GET and a HEAD are answered, all of one application. */
async function ask (t: Test, options: TimeSocketOptions, { custom = false } = {}) {
  const { app, log } = createApp(t)
  if (custom) {
    app.setErrorHandler((error: Error, _request, reply) =>
      reply.code(500).send({ custom: error.message }))
  }
  await app.register(timeSocket, options)
  const port = await listen(app)
  const upgrade = await refused(`ws://127.0.0.1:${port}/time?token=secret`)
  const get = await app.inject('/time')
  const head = await app.inject({ method: 'HEAD', url: '/time' })
  return { upgrade, get, head, log, clients: app.timeSocket.clients }
}

class Unauthorized extends Error {
  statusCode = 401
  code = 'UNAUTHORIZED'
}

const GENERIC = { statusCode: 500, error: 'Internal Server Error', message: 'Internal Server Error' }

type Hook = TimeSocketOptions['preValidation']

const answers: [title: string, hook: Hook, status: number, body: object][] = [
  ['answers 401', async (_request, reply) => reply.code(401).send({ why: 'no ticket' }),
    401, { why: 'no ticket' }],
  ['answers 403 with a callback', (_request, reply) => { reply.code(403).send({ why: 'banned' }) },
    403, { why: 'banned' }],
  ['answers 503', async (_request, reply) => reply.code(503).send({ why: 'full' }),
    503, { why: 'full' }],
  ['throws an error of 401', async () => { throw new Unauthorized('no ticket') },
    401, { statusCode: 401, code: 'UNAUTHORIZED', error: 'Unauthorized', message: 'no ticket' }],
  ['passes on an error of 401', (_request, _reply, done) => done(new Unauthorized('no ticket')),
    401, { statusCode: 401, code: 'UNAUTHORIZED', error: 'Unauthorized', message: 'no ticket' }],
  ['throws an error with a status', async (_request, reply) => {
    reply.code(418)
    throw new Error('a teapot')
  }, 418, { statusCode: 418, error: 'I\'m a Teapot', message: 'a teapot' }],
  ['throws', async () => { throw new Error('password hunter2') }, 500, GENERIC],
  ['throws synchronously', () => { throw new Error('password hunter2') }, 500, GENERIC],
  ['throws a value that is not an error', async () => { throw Object.assign(Object.create(null), { password: 'hunter2' }) },
    500, GENERIC],
  ['throws an error of 502', async () => {
    throw Object.assign(new Error('password hunter2'), { status: 502, headers: { 'x-secret': 'hunter2' } })
  }, 502, { statusCode: 502, error: 'Bad Gateway', message: 'Bad Gateway' }],
  ['throws an error with an invalid status', async () => {
    throw Object.assign(new Error('password hunter2'), { statusCode: 200 })
  }, 500, GENERIC]
]

for (const [title, hook, status, body] of answers) {
  test(`a hook that ${title} refuses the upgrade, GET and HEAD alike`, async (t) => {
    const { upgrade, get, head, clients } = await ask(t, { preValidation: hook })
    t.strictSame([upgrade.status, JSON.parse(upgrade.body)], [status, body])
    t.strictSame([get.statusCode, get.json()], [status, body])
    t.strictSame([head.statusCode, head.body], [status, ''])
    t.notMatch(JSON.stringify([upgrade, get.headers, get.body]), 'hunter2')
    t.equal(clients.size, 0)
  })
}

for (const [title, thrown] of [
  ['text', 'SECRET'], ['a number', 42], ['an object', { message: 'no', internal: 'SECRET' }],
  ['an object of 401', { statusCode: 401, message: 'no' }]
] as const) {
  test(`${title} thrown by a hook reaches the application's error handler`, async (t) => {
    const preValidation = async () => { throw thrown }
    const { upgrade, get } = await ask(t, { preValidation }, { custom: true })
    t.strictSame([upgrade.status, get.statusCode], [500, 500])
    t.equal(Object.keys(get.json())[0] ?? 'custom', 'custom')
    t.notMatch(get.body, 'internal')
  })
}

test('an object with a status, thrown by a hook, is answered with that status', async (t) => {
  const { upgrade, get } = await ask(t, {
    preValidation: async () => { throw Object.assign(Object.create(null), { statusCode: 401, message: 'no' }) }
  })
  t.strictSame([upgrade.status, get.statusCode], [401, 401])
})

test('an error that cannot be logged is answered with 500, and no detail', async (t) => {
  const frozen = Object.freeze(new Error('SECRET'))
  const { upgrade } = await ask(t, { preValidation: async () => { throw frozen } })
  t.strictSame([upgrade.status, JSON.parse(upgrade.body)], [500, GENERIC])
})

test('the error is logged once for several requests', async (t) => {
  const { log } = await ask(t, { preValidation: async () => { throw new Error('no database') } })
  const errors = log.lines.filter(({ level }) => level === 50)
  t.strictSame(errors.map(({ err }) => (err as Error).message), ['no database'])
})

test('the application\'s error handler decides the answer', async (t) => {
  const preValidation = async () => { throw new Error('no database') }
  const { upgrade, get } = await ask(t, { preValidation }, { custom: true })
  t.strictSame([upgrade.status, JSON.parse(upgrade.body)], [500, { custom: 'no database' }])
  t.strictSame(get.json(), { custom: 'no database' })
})

test('the route\'s own error handler decides the answer', async (t) => {
  const { upgrade } = await ask(t, {
    preValidation: async () => { throw new Error('no database') },
    route: { errorHandler: (_error, _request, reply) => reply.code(599).send({ own: true }) }
  })
  t.strictSame([upgrade.status, JSON.parse(upgrade.body)], [599, { own: true }])
})

for (const [title, context] of [
  ['throws', () => { throw new Error('password hunter2') }],
  ['rejects', () => Promise.reject(new Error('password hunter2'))]
] as const) {
  test(`a context that ${title} refuses the upgrade with 500, and no detail`, async (t) => {
    const { upgrade, get } = await ask(t, { context })
    t.strictSame([upgrade.status, JSON.parse(upgrade.body)], [500, GENERIC])
    t.equal(get.statusCode, 200, 'nothing is to be remembered of a GET')
  })
}

test('runs the hooks in Fastify\'s order, the application\'s before the route\'s, then the context', async (t) => {
  const called: string[] = []
  const hook = (name: string) => async () => { called.push(name) }
  const { app } = createApp(t)
  app.addHook('onRequest', hook('app onRequest'))
  app.addHook('preHandler', hook('app preHandler'))
  await app.register(timeSocket, {
    preValidation: [hook('preValidation 1'), hook('preValidation 2')],
    route: { onRequest: hook('onRequest'), preHandler: [hook('preHandler')] },
    context () {
      called.push('context')
      return {}
    },
    onConnect () { called.push('onConnect') }
  })
  const port = await listen(app)
  const order = [
    'app onRequest', 'onRequest', 'preValidation 1', 'preValidation 2', 'app preHandler', 'preHandler'
  ]
  await (await connect(`ws://127.0.0.1:${port}/time`)).received(1)
  t.strictSame(called.splice(0), [...order, 'context', 'onConnect'])
  await app.inject('/time')
  t.strictSame(called, order)
})

test('validates the upgrade and GET by the schema', async (t) => {
  const { upgrade, get } = await ask(t, {
    route: { schema: { querystring: { type: 'object', required: ['room'], properties: { room: { type: 'integer' } } } } }
  })
  t.strictSame([upgrade.status, get.statusCode], [400, 400])
  t.match(JSON.parse(upgrade.body), { code: 'FST_ERR_VALIDATION' })
})

test('the hooks get the request: query, headers, params and config', async (t) => {
  const seen: object[] = []
  const { app } = createApp(t)
  await app.register(timeSocket, {
    url: '/rooms/:room/time',
    route: { config: { rateLimit: 5 } as object },
    preValidation: async ({ query, params, headers, routeOptions }) => {
      seen.push({ query, params, ticket: headers.ticket, config: routeOptions.config })
    },
    context: ({ params }) => params as object
  })
  const port = await listen(app)
  const peer = await connect(`ws://127.0.0.1:${port}/rooms/7/time?a=1`, { headers: { ticket: 'x' } })
  await peer.received(1)
  t.match(seen, [{
    query: { a: '1' }, params: { room: '7' }, ticket: 'x', config: { rateLimit: 5, url: '/rooms/:room/time' }
  }])
  t.strictSame([...app.timeSocket.clients.values()].map(({ context }) => ({ ...context })), [{ room: '7' }])
})

test('plain HTTP is answered with the time and the schedule', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, { interval: 1000 })
  const answer = await app.inject('/time')
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  const { now, hold, server, ...others } = answer.json()
  t.strictSame(others, { interval: 1000, clockSteps: 0, protocols: ['time.v1'] })
  t.ok(Math.abs(now - timeSocket.now()) < 10_000)
  t.ok(hold >= 0 && hold < 10_000)
  t.match(server, /^[0-9a-z]{8}$/)
  const again = (await app.inject('/time')).json()
  t.equal(again.server, server)
  const head = await app.inject({ method: 'HEAD', url: '/time' })
  t.strictSame([head.statusCode, head.body, head.headers['cache-control']], [200, '', 'no-store'])
})

test('the option handler answers only plain HTTP, after the same hooks', async (t) => {
  let hookCount = 0
  const { app } = await createTimeApp(t, {
    preValidation: async () => { hookCount++ },
    handler: (_request: FastifyRequest, reply: FastifyReply) => { reply.redirect('/page.html') }
  })
  const port = await listen(app)
  const { statusCode, headers } = await app.inject('/time')
  t.strictSame([statusCode, headers.location], [302, '/page.html'])
  await (await connect(`ws://127.0.0.1:${port}/time`)).received(1)
  t.equal(hookCount, 2)
})

test('answers other methods as Fastify does', async (t) => {
  const { app } = await createTimeApp(t)
  t.equal((await app.inject({ method: 'POST', url: '/time' })).statusCode, 404)
})

test('answers HEAD even if the application has disabled HEAD routes', async (t) => {
  const { app } = await createTimeApp(t, {}, { exposeHeadRoutes: false })
  t.equal((await app.inject({ method: 'HEAD', url: '/time' })).statusCode, 200)
})

test('an undefined route option does not replace one of the plugin\'s', async (t) => {
  const { app } = await createTimeApp(t, {
    logLevel: 'warn',
    preValidation: async () => { throw new Error('hunter2') },
    route: { errorHandler: undefined, exposeHeadRoute: undefined, onRequest: undefined } as object
  }, { exposeHeadRoutes: false })
  t.strictSame((await app.inject('/time')).json(), GENERIC)
  t.equal((await app.inject({ method: 'HEAD', url: '/time' })).statusCode, 500)
})

test('an upgrade whose context is pending when the shutdown begins is refused', async (t) => {
  let isAsked = false
  let goOn = (): void => {}
  const { app, timeSocket } = await createTimeApp(t, {
    context: () => new Promise((resolve) => {
      isAsked = true
      goOn = () => resolve({})
    })
  })
  const refusal = refused(`ws://127.0.0.1:${await listen(app)}/time`)
  await waitFor(() => isAsked, 'the context')
  await timeSocket.close()
  goOn()
  t.match(JSON.parse((await refusal).body), { code: 'FST_TIME_SOCKET_UNAVAILABLE' })
})

test('once the shutdown has begun, the route\'s hooks are not called', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, {
    route: { onRequest: async () => { t.fail('asked') } }
  })
  await timeSocket.close()
  t.equal((await app.inject('/time')).statusCode, 503)
})

test('plain HTTP counts a clock step even if no client is connected', async (t) => {
  let stepMs = 0
  const { app } = await createTimeApp(t, { clock: { now: () => Date.now() + stepMs } })
  const clockSteps = async () => (await app.inject('/time')).json().clockSteps
  t.equal(await clockSteps(), 0)
  stepMs = 3_600_000
  t.equal(await clockSteps(), 1)
})

for (const thrown of [null, undefined]) {
  for (const option of ['origin', 'context', 'expiresAt'] as const) {
    test(`no client is admitted if ${option} throws ${thrown}`, async (t) => {
      const { app } = await createTimeApp(t, { origin: '*', [option] () { throw thrown } })
      const port = await listen(app)
      const { status, body } = await refused(`ws://127.0.0.1:${port}/time`, [], { origin: 'http://a.org' })
      t.strictSame([status, JSON.parse(body).message], [500, 'Internal Server Error'])
    })
  }
}
