import { readFileSync } from 'node:fs'
import fastify from 'fastify'
import type {
  FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest, FastifyTypeProvider
} from 'fastify'
import timeSocket, {
  fastifyTimeSocket, InvalidArgumentError, InvalidOptionError, NamespaceTakenError,
  UnavailableError, UnsupportedProtocolError
} from 'fastify-time-socket'
import type {
  Clock, Format, FormatName, Tick, TimeAnswer, TimeSocket, TimeSocketContext,
  TimeSocketNamespaces, TimeSocketOptions, TimeSocketPlugin
} from 'fastify-time-socket'
import { describe, expect, test } from 'tstyche'

const app = fastify()
const options: TimeSocketOptions = { preValidation: async () => {} }

test('the plugin is the default export, and one by name', () => {
  expect(timeSocket).type.toBe<TimeSocketPlugin>()
  expect(timeSocket).type.toBeAssignableTo<FastifyPluginAsync<TimeSocketOptions>>()
  expect(fastifyTimeSocket).type.toBe<typeof timeSocket>()
})

describe('register', () => {
  test('takes options of any context without a cast', () => {
    interface Seat { row: number }
    expect(app.register).type.toBeCallableWith(timeSocket, {} as TimeSocketOptions<Seat>)
    expect(app.register).type.toBeCallableWith(timeSocket, {} as TimeSocketOptions<unknown>)
  })

  test('takes hooks and callbacks with typed requests', () => {
    type Request = FastifyRequest<{ Querystring: { token: string } }>
    const hook = async (request: Request, reply: FastifyReply) => {
      if (request.query.token === '') reply.code(401)
    }
    expect(app.register).type.toBeCallableWith(timeSocket, { preValidation: hook })
    expect(app.register).type.toBeCallableWith(timeSocket, { preValidation: [hook] })
    const route = { onRequest: hook, preHandler: [hook] }
    expect(app.register).type.toBeCallableWith(timeSocket, { route })
    expect(app.register).type.toBeCallableWith(timeSocket, {
      context: (request: Request) => ({ token: request.query.token }),
      expiresAt: async (request: Request) => Number(request.query.token),
      origin: (origin: string, request: Request) => request.query.token === origin
    })
    expect(app.register).type.not.toBeCallableWith(timeSocket, {
      preValidation: (request: string) => request
    })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { preValidation: () => 5 })
    expect(app.register).type.not.toBeCallableWith(timeSocket, {
      context: (request: string) => ({ request })
    })
  })

  test('types the parameters of hooks that are written in place', () => {
    app.register(timeSocket, {
      preValidation (request, reply, done) {
        expect(request).type.toBe<FastifyRequest>()
        expect(reply).type.toBe<FastifyReply>()
        done()
      }
    })
    app.register(timeSocket, {
      preValidation: async (request) => {
        expect(request).type.toBe<FastifyRequest>()
      }
    })
  })

  test('takes the plugin with and without options', () => {
    expect(app.register).type.toBeCallableWith(timeSocket)
    expect(app.register).type.toBeCallableWith(timeSocket, {})
    expect(app.register).type.toBeCallableWith(timeSocket, { url: '/clock', interval: 1000 })
    expect(app.register).type.toBeCallableWith(timeSocket, () => ({ interval: 1000 }))
  })

  test('refuses wrong options', () => {
    expect(app.register).type.not.toBeCallableWith(timeSocket, { interval: '1000' })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { intervall: 1000 })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { format: 'xml' })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { url: null })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { preValidation: 'jwt' })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { route: { url: '/clock' } })
  })

  test('gives every function among the options typed arguments', () => {
    app.register(timeSocket, {
      async preValidation (request, reply) {
        expect(request).type.toBe<FastifyRequest>()
        expect(reply).type.toBe<FastifyReply>()
      },
      context (request) {
        expect(request).type.toBe<FastifyRequest>()
        return {}
      },
      onConnect (client) {
        expect(client.context).type.toBe<TimeSocketContext>()
      },
      onTick ({ seq }, { delivered }) {
        expect(seq).type.toBe<number>()
        expect(delivered).type.toBe<number>()
      }
    })
  })

  test('gives a hook with three arguments, and each of several, typed ones too', () => {
    app.register(timeSocket, {
      preValidation (request, _reply, done) {
        expect(request).type.toBe<FastifyRequest>()
        expect(done).type.toBeCallableWith()
      }
    })
    app.register(timeSocket, {
      preValidation: [async (request) => {
        expect(request).type.toBe<FastifyRequest>()
      }]
    })
  })
})

describe('an application of any kind has a time socket:', () => {
  test('HTTP', () => {
    expect(app.timeSocket).type.toBe<TimeSocket & TimeSocketNamespaces>()
  })

  test('HTTPS', () => {
    const secure = fastify({ https: { key: readFileSync('key.pem') } })
    secure.register(timeSocket, options)
    expect(secure.timeSocket).type.toBe<TimeSocket & TimeSocketNamespaces>()
  })

  test('HTTP/2 with HTTP/1.1', () => {
    const both = fastify({ http2: true, https: { allowHTTP1: true } })
    both.register(timeSocket, options)
    expect(both.timeSocket).type.toBe<TimeSocket & TimeSocketNamespaces>()
  })

  test('a logger of its own', () => {
    interface Log extends FastifyBaseLogger { audit (text: string): void }
    const loggerInstance = {} as Log
    const logging = fastify({ loggerInstance })
    logging.register(timeSocket, options)
    expect(logging.log).type.toBeAssignableTo<Log>()
    expect(logging.timeSocket).type.toBe<TimeSocket & TimeSocketNamespaces>()
  })

  test('a type provider', () => {
    interface Provider extends FastifyTypeProvider {
      validator: this['schema']
      serializer: this['schema']
    }
    const provided = fastify().withTypeProvider<Provider>()
    provided.register(timeSocket, options)
    expect(provided.timeSocket).type.toBe<TimeSocket & TimeSocketNamespaces>()
  })

  test('encapsulated in a plugin', () => {
    app.register(async (scope) => {
      scope.register(timeSocket, { namespace: 'inner' })
      expect(scope.timeSocket).type.toBe<TimeSocket & TimeSocketNamespaces>()
    })
  })
})

test('what nobody has augmented is empty', () => {
  expect<TimeSocketContext>().type.toBe<{}>()
  expect<TimeSocketNamespaces>().type.toBe<{}>()
  expect(app.timeSocket).type.not.toHaveProperty('auction')
})

test('errors are classes with a code, made of what their sentence names', () => {
  expect(new InvalidOptionError('interval', 'a number', 'null').code).type.toBe<string>()
  expect(new NamespaceTakenError('app.timeSocket', '').code).type.toBe<string>()
  expect(new InvalidArgumentError('the message', 'a string', '1n').code).type.toBe<string>()
  expect(new UnsupportedProtocolError('none').code).type.toBe<string>()
  expect(new UnavailableError()).type.toBeAssignableTo<Error>()
  const err: unknown = undefined
  if (err instanceof InvalidOptionError) expect(err.code).type.toBe<string>()
})

test('Clock, Format and TimeAnswer can be implemented and read', () => {
  expect<Clock>().type.toBe<{ now (): number }>()
  expect<Format>().type.toBe<(tick: Tick) => string | Uint8Array>()
  expect<FormatName>().type.toBe<'iso' | 'date-string' | 'timestamp' | 'json'>()
  expect<TimeAnswer>().type.toBe<{
    readonly id?: number
    readonly now: number
    readonly hold: number
    readonly interval: number
    readonly clockSteps: number
    readonly server: string
    readonly protocols: readonly string[]
    readonly upgrade?: {
      readonly status: 503 | 429
      readonly code: string
      readonly retryAfter: number
    }
  }>()
})
