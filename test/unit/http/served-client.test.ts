import { readFile } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import compress from '@fastify/compress'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { test } from 'tap'
import { createServedRoutes, SERVED_NAMES } from '../../../src/http/served-client.js'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createApp } from '../../helpers/network/app.js'
import { https } from '../../helpers/network/tls.js'
import { pathOf } from '../../helpers/root.js'

type Test = Parameters<typeof createApp>[0]

const HEADERS = {
  'content-type': 'text/javascript; charset=utf-8',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  etag: /^W\/"[0-9a-f]{32}"$/,
  vary: 'accept-encoding'
}

interface Setup {
  options?: TimeSocketOptions
  server?: FastifyServerOptions
  before?: (app: FastifyInstance) => unknown
}

async function setUp (t: Test, { options = {}, server = {}, before = () => {} }: Setup = {}) {
  const { app, log } = createApp(t, server)
  await before(app)
  await app.register(timeSocket, options)
  await app.ready()
  return { app, log }
}

async function built (name: string): Promise<string> {
  return await readFile(pathOf(`dist/served/${name}`), 'utf8')
}

for (const name of SERVED_NAMES) {
  test(`serves ${name} below the time socket's URL`, async (t) => {
    const { app } = await setUp(t)
    const { statusCode, headers, body } = await app.inject(`/time/${name}`)
    t.equal(statusCode, 200)
    t.match(headers, HEADERS)
    t.notOk('content-encoding' in headers)
    t.equal(body, await built(name))
  })

  test(`answers HEAD for ${name} as GET, without the body`, async (t) => {
    const { app } = await setUp(t, { server: { exposeHeadRoutes: false } })
    for (const encoding of ['gzip', 'identity']) {
      const request = { url: `/time/${name}`, headers: { 'accept-encoding': encoding } }
      const get = await app.inject(request)
      const head = await app.inject({ method: 'HEAD', ...request })
      const { date, ...expected } = get.headers
      t.match(head.headers, expected)
      t.strictSame([head.statusCode, head.body], [200, ''])
    }
  })
}

const encodings: [accepted: string, encoding: string | undefined][] = [
  ['gzip', 'gzip'],
  ['br;q=1.0, GZIP;q=0.8, *;q=0.1', 'gzip'],
  ['deflate, gzip;level="1,2"', 'gzip'],
  ['gzip;q=0', undefined],
  ['gzip;q=0.000, br', undefined],
  ['br, deflate', undefined],
  ['identity', undefined],
  ['xgzip, gzipx', undefined],
  ['', undefined],
  [',;,'.repeat(3000), undefined]
]

for (const [accepted, encoding] of encodings) {
  test(`Accept-Encoding: ${accepted.slice(0, 40)} gets ${encoding ?? 'plain'} text`, async (t) => {
    const { app } = await setUp(t)
    const answer = await app.inject({ url: '/time/client.js', headers: { 'accept-encoding': accepted } })
    t.equal(answer.headers['content-encoding'], encoding)
    t.equal(answer.headers['content-length'], String(answer.rawPayload.length))
    const text = encoding === undefined ? answer.rawPayload : gunzipSync(answer.rawPayload)
    t.equal(String(text), await built('client.js'))
  })
}

const conditions: [title: string, ifNoneMatch: (etag: string) => string, status: number][] = [
  ['its tag', (etag) => etag, 304],
  ['its tag as a strong tag', (etag) => etag.slice(2), 304],
  ['its tag among others', (etag) => `"a,b", ${etag},W/"c"`, 304],
  ['*', () => '*', 304],
  ['another tag', () => 'W/"00000000000000000000000000000000"', 200],
  ['its tag within another', (etag) => `"x, ${etag.slice(3, -1)}"`, 200],
  ['an unfinished tag', (etag) => etag.slice(0, -1), 200],
  ['nothing', () => '', 200]
]

for (const [title, ifNoneMatch, status] of conditions) {
  test(`If-None-Match of ${title} is answered ${status}`, async (t) => {
    const { app } = await setUp(t)
    const { headers: { etag } } = await app.inject('/time/client.js')
    for (const method of ['GET', 'HEAD'] as const) {
      const headers = { 'if-none-match': ifNoneMatch(String(etag)), 'accept-encoding': 'gzip' }
      const answer = await app.inject({ method, url: '/time/client.js', headers })
      t.equal(answer.statusCode, status)
      t.match(answer.headers, { etag, 'cache-control': 'no-cache', vary: 'accept-encoding' })
      if (status === 304) t.strictSame([answer.body, 'content-length' in answer.headers], ['', false])
    }
  })
}

test('both encodings of a file have the same tag, and two files have different tags', async (t) => {
  const { app } = await setUp(t)
  const tags = new Set<unknown>()
  for (const name of SERVED_NAMES) {
    for (const encoding of ['gzip', 'identity']) {
      const headers = { 'accept-encoding': encoding }
      tags.add((await app.inject({ url: `/time/${name}`, headers })).headers.etag)
    }
  }
  t.equal(tags.size, SERVED_NAMES.length)
})

const places: [title: string, setup: Setup, path: string, status: number][] = [
  ['below a URL of several parts', { options: { url: '/api/v1/time' } }, '/api/v1/time/client.js', 200],
  ['below a URL with a parameter', { options: { url: '/rooms/:room/time' } }, '/rooms/7/time/client.js', 200],
  ['below a URL that ends in a parameter', { options: { url: '/rooms/:room' } }, '/rooms/7/client.js', 200],
  ['at the root if serveClient is true', { options: { url: '/', serveClient: true } }, '/client.js', 200],
  ['not at the root by default', { options: { url: '/' } }, '/client.js', 404],
  ['below a trailing slash if serveClient is true', { options: { url: '/time/', serveClient: true } }, '/time/client.js', 200],
  ['not below a trailing slash by default', { options: { url: '/time/' } }, '/time/client.js', 404],
  ['not if serveClient is false', { options: { serveClient: false } }, '/time/client.js', 404],
  ['not below an optional part', { options: { url: '/rooms/:room?' } }, '/rooms/client.js', 200],
  ['with ignoreTrailingSlash', { server: { routerOptions: { ignoreTrailingSlash: true } } }, '/time/client.js/', 200],
  ['without ignoreTrailingSlash', {}, '/time/client.js/', 404],
  ['with a query', {}, '/time/client.js?v=1', 200]
]

for (const [title, setup, path, status] of places) {
  test(`serves the client ${title}: ${path} is ${status}`, async (t) => {
    const { app } = await setUp(t, setup)
    const { statusCode, headers } = await app.inject(path)
    t.equal(statusCode, status)
    const isScript = String(headers['content-type']).startsWith('text/javascript')
    t.equal(isScript, status === 200 && setup.options?.url !== '/rooms/:room?')
  })
}

test('serves the scripts of each registration under its prefix', async (t) => {
  const { app } = createApp(t)
  await app.register(timeSocket)
  await app.register(async (scope) => {
    await scope.register(timeSocket, { namespace: 'b', url: '/', serveClient: true })
    await scope.register(timeSocket, { namespace: 'c', url: '/ticks' })
  }, { prefix: '/api' })
  for (const path of ['/time', '/api', '/api/ticks']) {
    t.equal((await app.inject(`${path}/client.js`)).statusCode, 200, path)
  }
})

test('two registrations of one URL with different constraints both serve the scripts', async (t) => {
  const { app } = createApp(t)
  for (const host of ['a.org', 'b.org']) {
    await app.register(timeSocket, { namespace: host.replace('.', '_'), route: { constraints: { host } } })
  }
  for (const [host, status] of [['a.org', 200], ['b.org', 200], ['c.org', 404]] as const) {
    t.equal((await app.inject({ url: '/time/client.js', headers: { host } })).statusCode, status)
  }
})

test('runs the application\'s hooks, and none of the route\'s', async (t) => {
  const called: string[] = []
  const hook = (name: string) => async () => { called.push(name) }
  const { app } = await setUp(t, {
    before: (app) => app.addHook('onRequest', hook('application')),
    options: {
      origin: () => { throw new Error('asked') },
      preValidation: hook('preValidation'),
      route: {
        onRequest: hook('onRequest'),
        preHandler: hook('preHandler'),
        onSend: hook('onSend') as never,
        onResponse: hook('onResponse'),
        schema: { querystring: { type: 'object', required: ['x'] } }
      }
    }
  })
  const headers = { origin: 'https://b.org' }
  t.equal((await app.inject({ url: '/time/client.js', headers })).statusCode, 200)
  t.strictSame(called, ['application'])
  t.strictSame(app.timeSocket.stats().http, { answered: 0, refused: 0 })
})

test('works next to a wildcard route of @fastify/static', async (t) => {
  const { app } = await setUp(t, {
    before: (app) => app.register(fastifyStatic, { root: pathOf('test/fixtures') })
  })
  const { statusCode, headers } = await app.inject('/time/client.js')
  t.equal(statusCode, 200)
  t.match(headers, HEADERS)
})

test('works next to @fastify/helmet, even for other origins', async (t) => {
  const { app } = await setUp(t, { before: (app) => app.register(helmet) })
  const { statusCode, headers } = await app.inject('/time/client.js')
  t.equal(statusCode, 200)
  t.match(headers, { ...HEADERS, 'content-security-policy': /script-src 'self'/ })
})

test('works next to @fastify/compress, compressed once', async (t) => {
  const { app } = await setUp(t, { before: (app) => app.register(compress) })
  for (const encoding of ['gzip', 'br, gzip', 'gzip, deflate, br, zstd']) {
    const answer = await app.inject({ url: '/time/client.js', headers: { 'accept-encoding': encoding } })
    t.equal(answer.headers['content-encoding'], 'gzip', encoding)
    t.equal(String(gunzipSync(answer.rawPayload)), await built('client.js'))
  }
  const etag = String((await app.inject('/time/client.js')).headers.etag)
  const headers = { 'if-none-match': etag, 'accept-encoding': 'br' }
  t.equal((await app.inject({ url: '/time/client.js', headers })).statusCode, 304)
})

test('works over HTTP/2, if HTTP/1.1 is allowed', async (t) => {
  const app = Fastify({ http2: true, https: { ...https, allowHTTP1: true } })
  t.teardown(() => app.close())
  await app.register(timeSocket as never)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const session = connectHttp2(`https://localhost:${port}`, {
    rejectUnauthorized: false,
    lookup: (_name: string, _options: object, done: Function) =>
      done(null, [{ address: '127.0.0.1', family: 4 }])
  } as object)
  t.teardown(() => session.destroy())
  const text = await built('client.js')
  for (const [method, body] of [['GET', text], ['HEAD', '']] as const) {
    const stream = session.request({ ':path': '/time/client.js', ':method': method })
    const headers = await new Promise<Record<string, unknown>>((resolve) => stream.on('response', resolve))
    t.match({ ...headers }, { ':status': 200, ...HEADERS })
    let received = ''
    for await (const chunk of stream.setEncoding('utf8')) received += String(chunk)
    t.equal(received, body)
  }
})

test('an existing route of the application at that path is reported as an error of serveClient', async (t) => {
  for (const method of ['GET', 'HEAD'] as const) {
    const { app } = createApp(t)
    app.route({ method, url: '/time/client.js', handler: async () => 'own' })
    await t.rejects(async () => await app.register(timeSocket), {
      code: 'FST_TIME_SOCKET_INVALID_OPTION',
      message: 'time socket option "serveClient" must be false, because /time/client.js already has a route, got true'
    })
    t.notOk(app.hasRoute({ method: 'GET', url: '/time' }))
  }
})

test('an existing route of the application at that path is allowed without serveClient', async (t) => {
  const { app } = await setUp(t, {
    before: (app) => app.get('/time/client.js', async () => 'own'), options: { serveClient: false }
  })
  t.equal((await app.inject('/time/client.js')).body, 'own')
})

test('warns and serves nothing if the files are missing', async (t) => {
  const warnings: string[] = []
  const warn = (_fields: object, text: string) => { warnings.push(text) }
  const log = { debug () {}, info () {}, error () {}, warn }
  const options = { url: '/time', route: {}, serveClient: true } as never
  t.strictSame(await createServedRoutes(options, log, 'file:///nowhere/'), [])
  t.strictSame(warnings, ['the browser client is not served: its files are missing. Keep ' +
    'fastify-time-socket out of the bundle, or set serveClient to false'])
})
