import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocket, TimeSocketOptions } from '../../../src/index.js'
import { joinPath } from '../../../src/http/registration.js'
import { createApp, createTimeApp } from '../../helpers/network/app.js'
import { inject } from '../../helpers/network/peer.js'

function namespaces (app: FastifyInstance): Record<string, TimeSocket | undefined> {
  return app.timeSocket as unknown as Record<string, TimeSocket | undefined>
}

const refusals: [title: string, options: object][] = [
  ['a wrong value', { interval: NaN }],
  ['an unknown option', { intervall: 1000 }],
  ['a nested wrong value', { shutdown: { grace: -1 } }],
  ['a route option that the plugin sets itself', { route: { url: '/x' } }],
  ['a hook that is not a function', { preValidation: 'authenticate' }],
  ['a prefix', { prefix: '/api' }],
  ['a level that the logger does not have', { logLevel: 'loud' }],
  ['a level of the route that the logger does not have', { route: { logLevel: 'loud' } }],
  ['an invalid route option', { route: { constraints: 'host' } }],
  ['a constraint that the application does not have', { route: { constraints: { tenant: 'a' } } }],
  ['a host that is not text', { route: { constraints: { host: 5 } } }],
  ['a version that is not text', { route: { constraints: { version: 5 } } }],
  ['a url that the router would not accept', { url: '/rooms/*/time' }],
  ['a server of its own for ws', { websocket: { options: { port: 3000 } } }],
  ['a url that already has a route', { url: '/taken' }]
]

for (const [title, options] of refusals) {
  test(`registers nothing if it refuses ${title}`, async (t) => {
    const { app } = createApp(t)
    app.get('/taken', () => 'host')
    app.register(timeSocket, options as TimeSocketOptions).after((err) => {
      t.match(err, { code: 'FST_TIME_SOCKET_INVALID_OPTION' })
    })
    await app.ready()
    t.strictSame(
      ['timeSocket', 'websocketServer', 'injectWS'].map((name) => app.hasDecorator(name)),
      [false, false, false])
    t.equal(app.hasRequestDecorator('ws'), false)
    t.equal(app.hasRoute({ method: 'GET', url: '/time' }), false)
    t.equal(app.server.listenerCount('upgrade'), 0)
  })
}

test('refuses a level that the logger does not have, even if the logger is not pino', async (t) => {
  const app = Fastify({ logger: false })
  t.teardown(() => app.close())
  app.register(timeSocket, { url: '/silent', namespace: 'silent', logLevel: 'silent' })
  app.register(timeSocket, { url: '/warn', namespace: 'warn', logLevel: 'warn' })
  app.register(timeSocket, { url: '/loud', namespace: 'loud', logLevel: 'loud' as 'warn' }).after((err) => {
    t.match(err, {
      code: 'FST_TIME_SOCKET_INVALID_OPTION',
      message: 'time socket option "logLevel" must be a level that the logger has, got \'loud\''
    })
  })
  await app.ready()
  t.strictSame(Object.keys(app.timeSocket), ['silent', 'warn'])
})

test('refuses an HTTP/2-only server, and accepts one that also speaks HTTP/1.1', async (t) => {
  const only = Fastify({ http2: true })
  t.teardown(() => only.close())
  await t.rejects(async () => { await only.register(timeSocket as never) }, {
    code: 'FST_TIME_SOCKET_INVALID_OPTION',
    message: 'time socket option "url" must be on a server that accepts HTTP/1.1 (set https.allowHTTP1 to true), got a server that accepts only HTTP/2'
  })
  const both = Fastify({ http2: true, https: { allowHTTP1: true } })
  t.teardown(() => both.close())
  await both.register(timeSocket as never)
  await both.ready()
  t.ok(both.hasDecorator('timeSocket'))
})

test('refuses the option websocket if @fastify/websocket is already registered', async (t) => {
  const { app } = createApp(t)
  await app.register(websocket)
  await t.rejects(async () => { await app.register(timeSocket, { websocket: {} }) }, {
    code: 'FST_TIME_SOCKET_INVALID_OPTION',
    message: 'time socket option "websocket" must be left out, because @fastify/websocket is already registered, got {}'
  })
})

test('accepts a url that has a GET route with other constraints', async (t) => {
  const { app } = createApp(t)
  app.get('/time', { constraints: { host: 'example.org' } }, () => 'host')
  await app.register(timeSocket, { route: { constraints: { host: 'example.com' } } })
  await app.ready()
  const answer = await app.inject({ url: '/time', headers: { host: 'example.com' } })
  t.equal(answer.json().interval, 5000)
})

test('accepts constraints that the application has added', async (t) => {
  const tenant = {
    name: 'tenant',
    storage: () => new Map(),
    deriveConstraint: () => 5,
    validate () {}
  }
  const { app } = createApp(t, { constraints: { tenant } } as object)
  const route = { constraints: { tenant: 5 } } as TimeSocketOptions['route']
  await app.register(timeSocket, { route })
  t.equal((await app.inject('/time')).json().interval, 5000)
})

for (const url of ['/:room/*', '/:hour(^\\d{2}$)h:minute(^\\d*$)m', '/:room(^(a|b)$)/time', '/a(b']) {
  test(`accepts the url ${url}`, async (t) => {
    const { app } = createApp(t)
    await app.register(timeSocket, { url })
    await app.ready()
    t.equal(app.timeSocket.url, url)
  })
}

test('a second registration needs a namespace, and is then available next to the first', async (t) => {
  const { app } = await createTimeApp(t, {})
  const { app: other } = createApp(t)
  await other.register(timeSocket, {})
  await other.register(timeSocket, { url: '/auction', namespace: 'auction', interval: 1000 })
  await other.ready()
  t.equal(app.timeSocket.namespace, undefined)
  t.strictSame(
    [other.timeSocket.url, namespaces(other).auction?.url, namespaces(other).auction?.namespace],
    ['/time', '/auction', 'auction'])
  await inject(other, '/auction')
  t.strictSame([other.timeSocket.clients.size, namespaces(other).auction?.clients.size], [0, 1])
})

test('with only namespaces, app.timeSocket is a plain container', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket, { url: '/a', namespace: 'a' })
  await app.register(timeSocket, { url: '/b', namespace: 'b' })
  await app.ready()
  t.strictSame(Object.keys(app.timeSocket), ['a', 'b'])
  t.strictSame([namespaces(app).a?.url, namespaces(app).b?.url], ['/a', '/b'])
})

const taken: [
  title: string, first: TimeSocketOptions, second: TimeSocketOptions, message: string
][] = [
  ['two registrations without a namespace', { url: '/a' }, { url: '/b' },
    'app.timeSocket has already been registered: give this registration a namespace'],
  ['a registration without a namespace after one with a namespace', { url: '/a', namespace: 'a' }, { url: '/b' },
    'app.timeSocket has already been registered: give this registration a namespace'],
  ['the same namespace twice', { url: '/a', namespace: 'a' }, { url: '/b', namespace: 'a' },
    'app.timeSocket.a has already been registered: choose another namespace']
]

for (const [title, first, second, message] of taken) {
  test(`refuses ${title}, and registers nothing of it`, async (t) => {
    const { app } = createApp(t)
    await app.register(timeSocket, first)
    app.register(timeSocket, second).after((err) => {
      t.match(err, { code: 'FST_TIME_SOCKET_NAMESPACE_TAKEN', message })
    })
    await app.ready()
    t.equal(app.hasRoute({ method: 'GET', url: '/b' }), false)
  })
}

test('a namespace cannot be overwritten', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket, { namespace: 'a' })
  t.throws(() => { namespaces(app).a = undefined }, TypeError)
})

for (const [prefix, url, path] of [
  ['', '/', '/'], ['', '/time', '/time'], ['/api', '/time', '/api/time'], ['/api', '/', '/api'],
  ['/api/', '/time', '/api/time'], ['/api/', '/', '/api/']
] as const) {
  test(`in a scope with the prefix "${prefix}", ${url} is ${path}`, async (t) => {
    t.equal(joinPath(prefix, url), path)
    const { app } = createApp(t)
    let inner: TimeSocket | undefined
    app.register(async (scope) => {
      await scope.register(timeSocket, { url })
      inner = scope.timeSocket
    }, { prefix })
    await app.ready()
    t.equal(inner?.url, path)
    t.equal((await app.inject(path)).statusCode, 200)
    t.equal(app.hasDecorator('timeSocket'), false)
  })
}

test('refuses a url that already has a GET route in a scope with a prefix', async (t) => {
  const { app } = createApp(t)
  app.register(async (scope) => {
    scope.get('/taken', () => 'host')
    scope.register(timeSocket, { url: '/taken' }).after((err) => {
      t.match(err, {
        message: 'time socket option "url" must be a path without a GET route, got \'/taken\''
      })
    })
  }, { prefix: '/api' })
  await app.ready()
})
