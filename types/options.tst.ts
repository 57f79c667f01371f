import type { WebsocketPluginOptions } from '@fastify/websocket'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type {
  CloseInfo, Tick, TickDelivery, TimeSocketClient, TimeSocketContext, TimeSocketOptions,
  WebsocketOptions, WebsocketServerOptions
} from 'fastify-time-socket'
import { describe, expect, test } from 'tstyche'
import type { ServerOptions, WebSocket } from 'ws'

declare const take: (options: TimeSocketOptions) => void
declare const takeFor: <Context> (options: TimeSocketOptions<Context>) => void

test('the tests below know every option', () => {
  expect<keyof TimeSocketOptions>().type.toBe<
    'url' | 'namespace' | 'interval' | 'immediate' | 'format' | 'preValidation' |
    'handler' | 'route' | 'serveClient' | 'origin' | 'protocols' | 'context' | 'onConnect' | 'onMessage' | 'onClose' | 'onTick' |
    'maxClients' | 'maxClientsPerIp' | 'expiresAt' | 'heartbeat' | 'maxMessageBytes' | 'messageRate' |
    'handshakeTimeout' | 'maxBufferedBytes' | 'shutdown' | 'backplane' | 'clock' | 'websocket' | 'logLevel' |
    'logSerializers'
  >()
})

test('every option may be left out, or be undefined', () => {
  expect(take).type.toBeCallableWith({})
  expect(take).type.toBeCallableWith({
    url: undefined,
    namespace: undefined,
    interval: undefined,
    immediate: undefined,
    format: undefined,
    preValidation: undefined,
    handler: undefined,
    route: undefined,
    origin: undefined,
    protocols: undefined,
    context: undefined,
    onConnect: undefined,
    onMessage: undefined,
    onClose: undefined,
    onTick: undefined,
    maxClients: undefined,
    maxClientsPerIp: undefined,
    expiresAt: undefined,
    heartbeat: undefined,
    maxMessageBytes: undefined,
    messageRate: undefined,
    handshakeTimeout: undefined,
    maxBufferedBytes: undefined,
    shutdown: undefined,
    clock: undefined,
    websocket: undefined
  })
})

test('an option that does not exist is refused', () => {
  expect(take).type.not.toBeCallableWith({ intervall: 1000 })
  expect(take).type.not.toBeCallableWith({ prefix: '/api' })
})

test('null is no option', () => {
  expect(take).type.not.toBeCallableWith(null)
  expect(take).type.not.toBeCallableWith({ url: null })
  expect(take).type.not.toBeCallableWith({ interval: null })
  expect(take).type.not.toBeCallableWith({ format: null })
  expect(take).type.not.toBeCallableWith({ preValidation: null })
  expect(take).type.not.toBeCallableWith({ onConnect: null })
  expect(take).type.not.toBeCallableWith({ shutdown: null })
})

test('url and namespace are strings', () => {
  expect(take).type.toBeCallableWith({ url: '/clock', namespace: 'auction' })
  expect(take).type.not.toBeCallableWith({ url: new URL('http://localhost/clock') })
  expect(take).type.not.toBeCallableWith({ namespace: Symbol('auction') })
})

test('interval, handshakeTimeout and maxBufferedBytes are numbers', () => {
  expect(take).type.toBeCallableWith({
    interval: 1000, handshakeTimeout: 5000, maxBufferedBytes: 0
  })
  expect(take).type.not.toBeCallableWith({ interval: '1000' })
  expect(take).type.not.toBeCallableWith({ interval: 1000n })
  expect(take).type.not.toBeCallableWith({ handshakeTimeout: false })
  expect(take).type.not.toBeCallableWith({ maxBufferedBytes: '64k' })
})

test('origin is one of two words, a list, or a function that says yes or no at once', () => {
  expect(take).type.toBeCallableWith({ origin: 'same-origin' })
  expect(take).type.toBeCallableWith({ origin: '*' })
  expect(take).type.toBeCallableWith({ origin: ['https://example.org', 'null'] as const })
  expect(take).type.toBeCallableWith({
    origin: (origin: string, request: FastifyRequest) => origin === request.hostname
  })
  expect(take).type.not.toBeCallableWith({ origin: true })
  expect(take).type.not.toBeCallableWith({ origin: false })
  expect(take).type.not.toBeCallableWith({ origin: 'https://example.org' })
  expect(take).type.not.toBeCallableWith({ origin: [/example/] })
  expect(take).type.not.toBeCallableWith({ origin: async () => true })
})

test('protocols are a list of names', () => {
  expect(take).type.toBeCallableWith({ protocols: ['chat'] as const })
  expect(take).type.not.toBeCallableWith({ protocols: 'chat' })
  expect(take).type.not.toBeCallableWith({ protocols: [1] })
})

test('maxClients and maxClientsPerIp are numbers', () => {
  expect(take).type.toBeCallableWith({ maxClients: 1000, maxClientsPerIp: Infinity })
  expect(take).type.not.toBeCallableWith({ maxClients: '1000' })
  expect(take).type.not.toBeCallableWith({ maxClientsPerIp: false })
})

test('expiresAt returns a Date, a number or undefined, sync or async', () => {
  expect(take).type.toBeCallableWith({ expiresAt: () => new Date() })
  expect(take).type.toBeCallableWith({ expiresAt: (request: FastifyRequest) => request.id.length })
  expect(take).type.toBeCallableWith({ expiresAt: async () => undefined })
  expect(take).type.not.toBeCallableWith({ expiresAt: 5 })
  expect(take).type.not.toBeCallableWith({ expiresAt: () => '2027-01-01' })
  expect(take).type.not.toBeCallableWith({ expiresAt: () => null })
})

test('heartbeat and messageRate have fields, or are false', () => {
  expect(take).type.toBeCallableWith({ heartbeat: false, messageRate: false })
  expect(take).type.toBeCallableWith({ heartbeat: { interval: 1000 }, messageRate: { burst: 5 } })
  expect(take).type.toBeCallableWith({ heartbeat: {}, messageRate: { perSecond: 0.5 } })
  expect(take).type.not.toBeCallableWith({ heartbeat: true })
  expect(take).type.not.toBeCallableWith({ heartbeat: { every: 1000 } })
  expect(take).type.not.toBeCallableWith({ messageRate: 10 })
  expect(take).type.not.toBeCallableWith({ maxMessageBytes: '4k' })
})

test('immediate is a boolean', () => {
  expect(take).type.toBeCallableWith({ immediate: true })
  expect(take).type.not.toBeCallableWith({ immediate: 0 })
  expect(take).type.not.toBeCallableWith({ immediate: 'true' })
})

describe('format', () => {
  test('is one of four names', () => {
    expect<TimeSocketOptions['format']>().type.toBeAssignableFrom<
      'iso' | 'date-string' | 'timestamp' | 'json'
    >()
    expect(take).type.not.toBeCallableWith({ format: 'xml' })
    expect<TimeSocketOptions['format']>().type.not.toBeAssignableFrom<string>()
  })

  test('or a function that makes a string or bytes of a tick', () => {
    expect(take).type.toBeCallableWith({ format: ({ seq }: Tick) => `${seq}` })
    expect(take).type.toBeCallableWith({ format: () => new Uint8Array(8) })
    expect(take).type.toBeCallableWith({ format: () => Buffer.from('tick') })
    expect(take).type.not.toBeCallableWith({ format: () => 5 })
    expect(take).type.not.toBeCallableWith({ format: () => undefined })
    expect(take).type.not.toBeCallableWith({ format: async () => 'tick' })
    expect(take).type.not.toBeCallableWith({ format: (text: string) => text })
  })

  test('which is given a tick', () => {
    take({
      format (tick) {
        expect(tick).type.toBe<Tick>()
        return ''
      }
    })
  })
})

describe('preValidation', () => {
  test('is a hook, sync or async, or an array of hooks', () => {
    expect(take).type.toBeCallableWith({ preValidation: async () => {} })
    expect(take).type.toBeCallableWith({
      preValidation: (_request: FastifyRequest, _reply: FastifyReply, done: () => void) => done()
    })
    expect(take).type.toBeCallableWith({ preValidation: [async () => {}, async () => {}] })
  })

  test('is nothing else', () => {
    expect(take).type.not.toBeCallableWith({ preValidation: 'authenticate' })
    expect(take).type.not.toBeCallableWith({ preValidation: true })
    expect(take).type.not.toBeCallableWith({ preValidation: ['authenticate'] })
    expect(take).type.not.toBeCallableWith({ preValidation: (text: string) => text })
  })
})

test('handler is a handler of Fastify’s, given a request and a reply', () => {
  take({
    handler (request, reply) {
      expect(request).type.toBe<FastifyRequest>()
      expect(reply).type.toBe<FastifyReply>()
      return reply.redirect('/')
    }
  })
  expect(take).type.not.toBeCallableWith({ handler: '/' })
})

describe('route', () => {
  test('takes Fastify’s other options of a route', () => {
    expect(take).type.toBeCallableWith({
      route: {
        schema: { querystring: { type: 'object' } },
        config: { rateLimit: false },
        constraints: { host: 'example.org' },
        onRequest: async () => {},
        preHandler: [async () => {}],
        bodyLimit: 0,
        logLevel: 'warn'
      }
    })
  })

  test('refuses those that are not the user’s to set', () => {
    expect(take).type.not.toBeCallableWith({ route: { url: '/clock' } })
    expect(take).type.not.toBeCallableWith({ route: { path: '/clock' } })
    expect(take).type.not.toBeCallableWith({ route: { method: 'GET' } })
    expect(take).type.not.toBeCallableWith({ route: { handler: () => {} } })
    expect(take).type.not.toBeCallableWith({ route: { wsHandler: () => {} } })
    expect(take).type.not.toBeCallableWith({ route: { websocket: true } })
    expect(take).type.not.toBeCallableWith({ route: { preValidation: async () => {} } })
    expect(take).type.not.toBeCallableWith({ route: { handlerTimeout: 1000 } })
  })

  test('refuses those that do not exist, and values that do not fit', () => {
    expect(take).type.not.toBeCallableWith({ route: { onRequst: async () => {} } })
    expect(take).type.not.toBeCallableWith({ route: { onRequest: 'authenticate' } })
    expect(take).type.not.toBeCallableWith({ route: '/clock' })
  })
})

describe('context', () => {
  test('is given the request, which need not be declared', () => {
    take({
      context (request) {
        expect(request).type.toBe<FastifyRequest>()
        return {}
      }
    })
  })

  test('returns what the other options then get, or a promise of it', () => {
    expect(takeFor<{ user: string }>).type.toBeCallableWith({ context: () => ({ user: 'ada' }) })
    expect(takeFor<{ user: string }>).type.toBeCallableWith({
      context: async () => ({ user: 'ada' })
    })
    expect(takeFor<{ user: string }>).type.not.toBeCallableWith({ context: () => ({}) })
    expect(takeFor<{ user: string }>).type.not.toBeCallableWith({ context: () => ({ user: 5 }) })
    expect(takeFor<{ user: string }>).type.not.toBeCallableWith({ context: { user: 'ada' } })
  })
})

describe('the callbacks', () => {
  test('are given typed arguments, which need not be declared', () => {
    takeFor<{ user: string }>({
      onConnect (client) {
        expect(client).type.toBe<TimeSocketClient<{ user: string }>>()
      },
      onMessage (client, data) {
        expect(client).type.toBe<TimeSocketClient<{ user: string }>>()
        expect(data).type.toBe<string | Buffer>()
      },
      onClose (client, info) {
        expect(client).type.toBe<TimeSocketClient<{ user: string }>>()
        expect(info).type.toBe<CloseInfo>()
      },
      onTick (tick, delivery) {
        expect(tick).type.toBe<Tick>()
        expect(delivery).type.toBe<TickDelivery>()
      }
    })
  })

  test('may be async', () => {
    expect(take).type.toBeCallableWith({
      onConnect: async () => {},
      onMessage: async () => {},
      onClose: async () => {},
      onTick: async () => {}
    })
  })

  test('are functions', () => {
    expect(take).type.not.toBeCallableWith({ onConnect: 'greet' })
    expect(take).type.not.toBeCallableWith({ onMessage: true })
    expect(take).type.not.toBeCallableWith({ onClose: {} })
    expect(take).type.not.toBeCallableWith({ onTick: [() => {}] })
  })

  test('may not ask for arguments that they do not get', () => {
    expect(take).type.not.toBeCallableWith({ onConnect: (_name: string) => {} })
    expect(take).type.not.toBeCallableWith({
      onTick: (_tick: Tick, _delivery: TickDelivery, _more: object) => {}
    })
  })
})

test('drain is an object with numbers', () => {
  expect(take).type.toBeCallableWith({ shutdown: {} })
  expect(take).type.toBeCallableWith({ shutdown: { grace: 500 } })
  expect(take).type.toBeCallableWith({ shutdown: { grace: 500, spread: 1000 } })
  expect(take).type.toBeCallableWith({ shutdown: { grace: undefined, spread: undefined } })
  expect(take).type.not.toBeCallableWith({ shutdown: { grace: '500' } })
  expect(take).type.not.toBeCallableWith({ shutdown: { spread: '500' } })
  expect(take).type.not.toBeCallableWith({ shutdown: { grase: 500 } })
  expect(take).type.not.toBeCallableWith({ shutdown: 500 })
  expect(take).type.not.toBeCallableWith({ shutdown: false })
})

test('clock is an object that tells a number', () => {
  expect(take).type.toBeCallableWith({ clock: Date })
  expect(take).type.toBeCallableWith({ clock: performance })
  expect(take).type.not.toBeCallableWith({ clock: Date.now })
  expect(take).type.not.toBeCallableWith({ clock: { now: () => '12:00' } })
  expect(take).type.not.toBeCallableWith({ clock: { now: async () => 0 } })
})

test('websocket takes the options of @fastify/websocket', () => {
  expect(take).type.toBeCallableWith({ websocket: { options: { maxPayload: 1024 } } })
  expect(take).type.not.toBeCallableWith({ websocket: { maxPayload: 1024 } })
  expect(take).type.not.toBeCallableWith({ websocket: { options: { maxPayload: '1k' } } })
  expect(take).type.toBeCallableWith({ websocket: {} as WebsocketPluginOptions })
  expect<keyof WebsocketOptions>().type.toBe<keyof WebsocketPluginOptions>()
  expect<keyof WebsocketServerOptions>().type.toBeAssignableTo<keyof ServerOptions>()
  expect(take).type.toBeCallableWith({
    websocket: { errorHandler: (_error: Error, socket: WebSocket) => socket.terminate() }
  })
})

test('logLevel and logSerializers are those of a plugin', () => {
  expect(take).type.toBeCallableWith({ logLevel: 'warn', logSerializers: { id: String } })
  expect(take).type.not.toBeCallableWith({ logLevel: 30 })
  expect(take).type.not.toBeCallableWith({ logSerializers: { id: 'string' } })
})

test('without a context of their own, they have the application’s', () => {
  expect<TimeSocketOptions>().type.toBe<TimeSocketOptions<TimeSocketContext>>()
})
