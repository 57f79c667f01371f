import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createApp, listen } from '../../helpers/network/app.js'

type Test = Parameters<typeof createApp>[0]
type Method = 'GET' | 'HEAD'

const FOREIGN = 'https://b.org'
const READABLE = {
  'access-control-allow-origin': FOREIGN,
  'access-control-allow-credentials': 'true',
  vary: 'origin'
}

interface Asked {
  options?: TimeSocketOptions
  before?: (app: FastifyInstance) => unknown
  origin?: string
  method?: Method
}

/** The status of a plain request of a page of another origin, and the headers that concern CORS. */
async function ask (
  t: Test, { options = {}, before = () => {}, origin = FOREIGN, method = 'GET' }: Asked
) {
  const { app, log } = createApp(t)
  before(app)
  await app.register(timeSocket, { origin: [FOREIGN], ...options })
  const { statusCode, headers } = await app.inject({ method, url: '/time', headers: { origin } })
  const found = Object.entries(headers).filter(([name]) => /^(access-control|vary)/.test(name))
  return { status: statusCode, headers: Object.fromEntries(found), log }
}

const answers: [title: string, asked: Asked, status: number][] = [
  ['a 401 of a hook', { options: { preValidation: async (_request, reply) => reply.code(401).send('no') } }, 401],
  ['an error of 401', { options: { preValidation: async () => { throw Object.assign(new Error('no'), { statusCode: 401 }) } } }, 401],
  ['a 500', { options: { preValidation: async () => { throw new Error('no database') } } }, 500],
  ['a 500 of the application\'s own error handler', {
    before: (app) => app.setErrorHandler((_error, _request, reply) => reply.code(500).send('own')),
    options: { preValidation: async () => { throw new Error('no database') } }
  }, 500],
  ['a 503 of the application\'s onRequest hook', {
    before: (app) => app.addHook('onRequest', async (_request, reply) => reply.code(503).send('busy'))
  }, 503],
  ['an error of the application\'s onRequest hook', {
    before: (app) => app.addHook('onRequest', async () => { throw Object.assign(new Error('no'), { statusCode: 429 }) })
  }, 429],
  ['a schema\'s 400', { options: { route: { schema: { querystring: { type: 'object', required: ['room'] } } } } }, 400]
]

for (const [title, asked, status] of answers) {
  test(`a page of a foreign origin that may connect can read ${title}`, async (t) => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await ask(t, { ...asked, method })
      t.strictSame([answer.status, answer.headers], [status, READABLE], method)
    }
  })
}

test('a page of a foreign origin that may connect can read the time', async (t) => {
  for (const method of ['GET', 'HEAD'] as const) {
    const answer = await ask(t, { method })
    t.strictSame([answer.status, answer.headers], [200, { ...READABLE, vary: 'accept, origin' }])
  }
})

for (const [title, handler] of [
  ['answer', () => 'mail'],
  ['redirection', (_request, reply) => { reply.redirect('/page.html') }],
  ['error', async () => { throw new Error('SECRET') }]
] as [string, TimeSocketOptions['handler']][]) {
  test(`a page of a foreign origin cannot read the ${title} of the application's handler`, async (t) => {
    for (const method of ['GET', 'HEAD'] as const) {
      const { headers } = await ask(t, { method, options: { handler } })
      t.strictSame(headers, { vary: 'accept' }, method)
    }
  })
}

test('on a real port, a page of a foreign origin can read that the handler took too long', async (t) => {
  const { app } = createApp(t)
  const handler = async () => await new Promise(() => {})
  await app.register(timeSocket, { origin: [FOREIGN], handshakeTimeout: 20, handler })
  const url = `http://127.0.0.1:${await listen(app)}/time`
  const { status, headers } = await fetch(url, { headers: { origin: FOREIGN } })
  t.equal(status, 503)
  t.match(Object.fromEntries(headers), { ...READABLE, vary: 'accept, origin' })
})

test('the application\'s handler may let a page of a foreign origin read', async (t) => {
  const { headers } = await ask(t, {
    options: { handler: (_request, reply) => { reply.header('access-control-allow-origin', '*').send('news') } }
  })
  t.strictSame(headers, { 'access-control-allow-origin': '*', vary: 'accept' })
})

test('a page of a foreign origin that may connect can read Retry-After of a 503', async (t) => {
  const { status, headers } = await ask(t, {
    options: { preValidation: async (_request, reply) => reply.code(503).header('retry-after', '9').send('busy') }
  })
  t.strictSame([status, headers], [503, { ...READABLE, 'access-control-expose-headers': 'retry-after' }])
})

test('a page of a foreign origin that may connect can read that the time socket is closing', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket, { origin: [FOREIGN] })
  await app.ready()
  await app.timeSocket.close()
  const { statusCode, headers } = await app.inject({ url: '/time', headers: { origin: FOREIGN } })
  t.equal(statusCode, 503)
  t.match(headers, READABLE)
})

const rules: [title: string, rule: TimeSocketOptions['origin'], origin: string, isReadable: boolean][] = [
  ['that * admits', '*', FOREIGN, true],
  ['that a function admits', () => true, FOREIGN, true],
  ['null that a list admits', ['null'], 'null', true],
  ['that a function refuses', () => false, FOREIGN, false],
  ['that is not in the list', ['https://c.org'], FOREIGN, false],
  ['by default', 'same-origin', FOREIGN, false]
]

for (const [title, rule, origin, isReadable] of rules) {
  test(`a foreign origin ${title} ${isReadable ? 'is' : 'is never'} named in the answer`, async (t) => {
    const { headers } = await ask(t, { origin, options: { origin: rule } })
    const readable = { ...READABLE, 'access-control-allow-origin': origin, vary: 'accept, origin' }
    t.strictSame(headers, isReadable ? readable : {})
  })
}

for (const [title, origin] of [['the default rule', 'same-origin'], ['a list', ['http://localhost']]] as const) {
  test(`a page of the same host gets no CORS headers under ${title}`, async (t) => {
    // The host that app.inject asks for, with its default port.
    const { status, headers } = await ask(t, { origin: 'http://localhost', options: { origin } })
    t.strictSame([status, headers], [200, { vary: 'accept' }])
  })
}

const hosts: [title: string, before: Asked['before'], expected: object][] = [
  ['by the application\'s hook', (app) => app.addHook('onRequest', async (_request, reply) => {
    reply.header('access-control-allow-origin', 'https://c.org')
  }), { 'access-control-allow-origin': 'https://c.org', vary: 'accept' }],
  ['on the raw response', (app) => app.addHook('onRequest', async (_request, reply) => {
    reply.raw.setHeader('Access-Control-Allow-Origin', '*')
  }), { 'access-control-allow-origin': '*', vary: 'accept' }]
]

for (const [title, before, expected] of hosts) {
  test(`headers stay unchanged if access-control-allow-origin was set ${title}`, async (t) => {
    t.strictSame((await ask(t, { before: before as () => void })).headers, expected)
  })
}

test('headers stay unchanged if the route\'s own onSend hook has set access-control-allow-origin', async (t) => {
  const { headers } = await ask(t, {
    options: { route: { onSend: async (_request, reply) => { reply.header('access-control-allow-origin', '*') } } }
  })
  t.strictSame(headers, { 'access-control-allow-origin': '*', vary: 'accept' })
})

const varies: [given: string | string[], expected: string][] = [
  ['accept-encoding', 'accept-encoding, accept, origin'],
  [['accept', 'cookie'], 'accept, cookie, origin'],
  ['Origin', 'Origin, accept'],
  ['accept, ORIGIN , cookie', 'accept, ORIGIN , cookie'],
  ['*', '*'],
  ['x-origin', 'x-origin, accept, origin']
]

for (const [given, expected] of varies) {
  test(`vary: ${String(given)} becomes vary: ${expected}`, async (t) => {
    const { headers } = await ask(t, {
      before: (app) => app.addHook('onRequest', async (_request, reply) => { reply.header('vary', given) })
    })
    t.equal(headers.vary, expected)
  })
}

test('an access-control-expose-headers of the application stays unchanged', async (t) => {
  const { headers } = await ask(t, {
    options: {
      preValidation: async (_request, reply) => reply.code(503)
        .headers({ 'retry-after': '9', 'access-control-expose-headers': 'x-own' }).send('no')
    }
  })
  t.strictSame(headers, { ...READABLE, 'access-control-expose-headers': 'x-own' })
})

test('a rule that throws after the application has answered has no effect, and is logged', async (t) => {
  const { status, headers, log } = await ask(t, {
    before: (app) => app.addHook('onRequest', async (_request, reply) => reply.code(503).send('busy')),
    options: { origin: () => { throw new Error('SECRET') } }
  })
  t.strictSame([status, headers], [503, {}])
  t.strictSame(log.messages('error'), ['a hook or callback of the route failed'])
})
