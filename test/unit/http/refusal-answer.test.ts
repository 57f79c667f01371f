import Fastify from 'fastify'
import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import { test } from 'tap'
import { TooManyClientsError, UnavailableError } from '../../../src/api/errors.js'
import timeSocket from '../../../src/index.js'
import { createErrorHandler, hasErrorHandler } from '../../../src/http/error-handler.js'
import { sendRefusal } from '../../../src/http/refusal-answer.js'
import { createFailureLog } from '../../../src/observability/failure-log.js'
import { systemTimers } from '../../../src/util/timers.js'
import type { Refusal } from '../../../src/http/refusal-answer.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { openRaw, upgradeRequest } from '../../helpers/network/raw.js'
import { createLog } from '../../helpers/fakes/log.js'

const NO_LOG = { failed () {} }

type Test = Parameters<typeof createApp>[0] & { fail (message: string): unknown }

function refusing (refusal: Refusal): RouteShorthandOptions {
  return { onRequest (request, reply) { sendRefusal(request, reply, refusal, this.log) } }
}

async function ask (t: Test, options: RouteShorthandOptions, method: 'GET' | 'HEAD' = 'GET') {
  const { app, log } = createApp(t)
  app.addHook('preSerialization', async () => { t.fail('asked to serialise') })
  app.get('/', { errorHandler: createErrorHandler(app, createFailureLog(app.log, 'a hook', systemTimers)), ...options }, async () => { t.fail('handled') })
  const answer = await app.inject({ method, url: '/' })
  return { answer, log }
}

test('refuses with a coded body and its headers, and ends the connection', async (t) => {
  const refusal = Object.assign(new TooManyClientsError(), { headers: { 'retry-after': '3' } })
  const { answer, log } = await ask(t, refusing(refusal))
  t.equal(answer.statusCode, 503)
  t.match(answer.headers, {
    connection: 'close', 'retry-after': '3', 'content-type': 'application/json; charset=utf-8'
  })
  t.strictSame(answer.json(), {
    statusCode: 503,
    code: 'FST_TIME_SOCKET_TOO_MANY_CLIENTS',
    error: 'Service Unavailable',
    message: 'the time socket has no room for another client'
  })
  const lines = log.lines.filter(({ msg }) => msg === 'refused')
  t.strictSame(lines.map(({ level, code, err }) => [level, code, err]),
    [[20, 'FST_TIME_SOCKET_TOO_MANY_CLIENTS', undefined]])
})

test('refuses HEAD without a body', async (t) => {
  const { answer } = await ask(t, refusing(new UnavailableError()), 'HEAD')
  t.strictSame([answer.statusCode, answer.body, answer.headers.connection], [503, '', 'close'])
})

test('closes the connection even if the refusal has another Connection header', async (t) => {
  const refusal = Object.assign(new UnavailableError(), { headers: { connection: 'keep-alive' } })
  t.equal((await ask(t, refusing(refusal))).answer.headers.connection, 'close')
})

const errors: [title: string, error: unknown, status: number, message: string][] = [
  ['an error', new Error('SECRET'), 500, 'Internal Server Error'],
  ['an error with status 500', Object.assign(new Error('SECRET'), { statusCode: 500 }), 500, 'Internal Server Error'],
  ['an error whose status is 503', Object.assign(new Error('SECRET'), { status: 503 }), 503, 'Service Unavailable'],
  ['an error with an unknown status', Object.assign(new Error('SECRET'), { statusCode: 599 }), 599, ''],
  ['an error whose status is not an error status', Object.assign(new Error('SECRET'), { statusCode: 302 }), 500, 'Internal Server Error'],
  ['an error whose status is text', Object.assign(new Error('SECRET'), { statusCode: '401' }), 500, 'Internal Server Error'],
  ['text', 'SECRET', 500, 'Internal Server Error']
]

for (const [title, error, status, message] of errors) {
  test(`answers ${title} with only its status`, async (t) => {
    const { answer, log } = await ask(t, { onRequest: async () => { throw error } })
    t.equal(answer.statusCode, status)
    t.strictSame(answer.json(), message === '' ? { statusCode: status } : { statusCode: status, error: message, message })
    t.equal(log.messages('error').length, 1)
  })
}

for (const status of [400, 401, 429, 499]) {
  test(`passes on an error with status ${status}`, async (t) => {
    const error = Object.assign(new Error('no ticket'), { statusCode: status, code: 'NO_TICKET' })
    const { answer } = await ask(t, { onRequest: async () => { throw error } })
    t.equal(answer.statusCode, status)
    t.match(answer.json(), { code: 'NO_TICKET', message: 'no ticket' })
    t.equal(answer.headers.connection, 'keep-alive', 'it is no refusal of ours')
  })
}

test('leaves errors to the application that handles them', async (t) => {
  const log = createLog()
  const app = Fastify({ logger: log.logger })
  app.setErrorHandler((error: Error, _request, reply) => reply.code(555).send(error.message))
  app.get('/', { errorHandler: createErrorHandler(app, NO_LOG), onRequest: async () => { throw new Error('own') } }, () => {})
  const answer = await app.inject('/')
  t.strictSame([answer.statusCode, answer.body, log.messages('error')], [555, 'own', []])
})

for (const [title, url, register] of [
  ['after the plugin', '/time', async (app) => { await app.register(timeSocket) }],
  ['around the plugin\'s scope, after it', '/in/time', async (app) => {
    await app.register(async (scope) => { await scope.register(timeSocket) }, { prefix: '/in' })
  }]
] as [title: string, url: string, register: (app: FastifyInstance) => Promise<void>][]) {
  test(`on a real port, leaves errors to an error handler that is set ${title}`, async (t) => {
    const { app, log } = createApp(t)
    app.addHook('onRequest', async () => { throw new Error('own') })
    await register(app)
    let calls = 0
    app.setErrorHandler(async (error: Error, _request, reply) => {
      calls++
      return reply.code(555).send(`handled ${error.message}`)
    })
    const port = await listen(app)
    const answer = await app.inject(url)
    t.strictSame([answer.statusCode, answer.body], [555, 'handled own'])
    t.match(await openRaw(port, upgradeRequest(url)).ended, /^HTTP\/1\.1 555 [^]*handled own$/)
    t.equal(calls, 2)
    t.strictSame(log.messages('error'), [])
  })
}

test('an error handler that is set after the plugin may answer later', async (t) => {
  const { app, log } = createApp(t)
  await app.register(timeSocket, { preValidation: async () => { throw new Error('own') } })
  app.setErrorHandler((_error, _request, reply) => {
    setImmediate(() => reply.code(555).send('later'))
  })
  t.strictSame((await app.inject('/time')).body, 'later')
  t.strictSame(log.messages('error'), [])
})

test('no detail is sent if Fastify stores error handlers elsewhere', async (t) => {
  t.equal(hasErrorHandler({}), false)
})

test('finds the error handler of an outer scope', async (t) => {
  const app = Fastify()
  let around = false
  app.setErrorHandler(() => {})
  await app.register(async (scope) => { around = hasErrorHandler(scope) })
  t.equal(around, true)
})

test('a repeated error is logged once in ten seconds', async (t) => {
  const { app, log } = await createTimeApp(t, { preValidation: async () => { throw new Error('SECRET') } })
  for (let i = 0; i < 20; i++) {
    const { statusCode, body } = await app.inject('/time')
    t.equal(statusCode, 500)
    t.notMatch(body, 'SECRET')
  }
  t.strictSame(log.messages('error'), ['a hook or callback of the route failed'])
})

for (const [title, options] of [
  ['origin', { origin: () => { throw new Error('broken') } }],
  ['context', { context: () => { throw new Error('broken') } }],
  ['expiresAt', { expiresAt: () => NaN }]
] as const) {
  test(`clients cannot fill the log through a failing ${title}`, async (t) => {
    const { app, log } = await createTimeApp(t, options)
    const headers = { origin: 'https://example.org', host: 'example.org' }
    for (let i = 0; i < 20; i++) {
      await t.rejects(app.injectWS('/time', { headers }), { message: /500/ })
      await app.inject({ url: '/time', headers })
    }
    t.strictSame(log.messages('error'), ['a hook or callback of the route failed'])
  })
}
