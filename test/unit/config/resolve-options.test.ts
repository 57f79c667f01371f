import { test } from 'tap'
import { FORMATS } from '../../../src/time/tick-format.js'
import type { TimeSocketOptions } from '../../../src/api/options.js'
import { resolveOptions } from '../../../src/config/resolve-options.js'

const PLUGIN_TIMEOUT_MS = 10_000

function resolve (options: unknown, pluginTimeoutMs = PLUGIN_TIMEOUT_MS) {
  return resolveOptions(options as TimeSocketOptions, pluginTimeoutMs)
}

/** Values of every kind; for each option those it takes are left out. */
const VALUES: readonly unknown[] = [
  NaN, Infinity, -1, 0, 2 ** 31, 1.5, 1n, '', '100', null, true, [], {}, Symbol('one'),
  new Date(0), () => {}, /x/
]

const BYTES = 'an integer from 0 to 2147483647'
const COUNT = 'an integer from 1 up, or Infinity'
const ORIGIN = "'same-origin', '*', an array of origins or a function"
const AN_ORIGIN =
  "an origin as browsers send it, such as 'https://example.org', 'capacitor://localhost' or 'null'"
const PROTOCOLS = 'an array of different subprotocol names (RFC 9110 tokens), other than time.v1'
const WORDS = 'a function or one of iso, date-string, timestamp, json'
const INTEGER = 'an integer from 10 to 86400000'
const OBJECT_OR_FALSE = 'a plain object or false'
const RATE = 'a number above 0, up to 1000000'
const PATH = 'a path that starts with "/", without white space, query or fragment, with valid ' +
  'parameters, and with "*" only at its end'
const NAME = 'a name of letters, digits and _ that is not a member of the time socket'

function isRecord (value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

const wrongKinds: [option: string, expected: string, accepts: (value: unknown) => boolean][] = [
  ['url', PATH, () => false],
  ['namespace', NAME, () => false],
  ['interval', INTEGER, () => false],
  ['immediate', 'a boolean', (value) => value === true],
  ['format', WORDS, (value) => typeof value === 'function'],
  ['preValidation', 'a function or an array of functions', (value) => typeof value === 'function' || Array.isArray(value)],
  ['handler', 'a function', (value) => typeof value === 'function'],
  ['route', 'a plain object', isRecord],
  ['serveClient', 'a boolean', (value) => typeof value === 'boolean'],
  ['context', 'a function', (value) => typeof value === 'function'],
  ['onConnect', 'a function', (value) => typeof value === 'function'],
  ['onMessage', 'a function', (value) => typeof value === 'function'],
  ['onClose', 'a function', (value) => typeof value === 'function'],
  ['onTick', 'a function', (value) => typeof value === 'function'],
  ['origin', ORIGIN, (value) => typeof value === 'function' || Array.isArray(value)],
  ['protocols', PROTOCOLS, (value) => Array.isArray(value)],
  ['maxClients', COUNT, (value) => value === Infinity || value === 2 ** 31],
  ['maxClientsPerIp', COUNT, (value) => value === Infinity || value === 2 ** 31],
  ['expiresAt', 'a function', (value) => typeof value === 'function'],
  ['heartbeat', OBJECT_OR_FALSE, (value) => value === false || isRecord(value)],
  ['heartbeat.interval', INTEGER, () => false],
  ['heartbeat.timeout', INTEGER, () => false],
  ['maxMessageBytes', 'an integer from 1 to 2147483647', () => false],
  ['messageRate', OBJECT_OR_FALSE, (value) => value === false || isRecord(value)],
  ['messageRate.burst', 'an integer from 1 to 1000000', () => false],
  ['messageRate.perSecond', RATE, (value) => value === 1.5 || value === 2 ** 31 - 1],
  ['maxBufferedBytes', BYTES, (value) => value === 0],
  ['handshakeTimeout', 'an integer from 1 to 2147483647', () => false],
  ['shutdown', 'a plain object', isRecord],
  ['shutdown.grace', 'an integer from 0 to 9000', (value) => value === 0],
  ['shutdown.spread', 'an integer from 0 to 8000', (value) => value === 0],
  ['backplane', 'an object with the methods publish(), subscribe(), close()', () => false],
  ['clock', 'an object with a method now()', () => false],
  ['websocket', 'a plain object', isRecord],
  ['websocket.errorHandler', 'a function', (value) => typeof value === 'function'],
  ['websocket.preClose', 'a function', (value) => typeof value === 'function'],
  ['websocket.options', 'a plain object', isRecord],
  ['logLevel', 'a string', (value) => typeof value === 'string'],
  ['logSerializers', 'a plain object', isRecord]
]

const wrongValues: [option: string, expected: string, value: unknown, shown: string][] = [
  ['url', PATH, 'time', "'time'"],
  ['url', PATH, '/time?token=1', "'/time?token=1'"],
  ['url', PATH, '/time#now', "'/time#now'"],
  ['url', PATH, '/the time', "'/the time'"],
  ['url', PATH, 'ws://localhost/time', "'ws://localhost/time'"],
  ['url', PATH, '/rooms/*/time', "'/rooms/*/time'"],
  ['url', PATH, '/time**', "'/time**'"],
  ['url', PATH, '/:room(^[a-z]+$', "'/:room(^[a-z]+$'"],
  ['url', PATH, '/:room(^[a-z+$)', "'/:room(^[a-z+$)'"],
  ['namespace', NAME, 'clients', "'clients'"],
  ['namespace', NAME, 'broadcast', "'broadcast'"],
  ['namespace', NAME, 'stats', "'stats'"],
  ['namespace', NAME, 'then', "'then'"],
  ['namespace', NAME, 'constructor', "'constructor'"],
  ['namespace', NAME, '__proto__', "'__proto__'"],
  ['namespace', NAME, 'toString', "'toString'"],
  ['namespace', NAME, '1st', "'1st'"],
  ['namespace', NAME, 'two words', "'two words'"],
  ['namespace', NAME, 'a-b', "'a-b'"],
  ['namespace', NAME, 'é', "'é'"],
  ['interval', INTEGER, 9, '9'],
  ['interval', INTEGER, 86_400_001, '86400001'],
  ['interval', INTEGER, 1000.5, '1000.5'],
  ['interval', INTEGER, '5000', "'5000'"],
  ['format', WORDS, 'ISO', "'ISO'"],
  ['format', WORDS, 'xml', "'xml'"],
  ['format', WORDS, 'toString', "'toString'"],
  ['format', WORDS, '__proto__', "'__proto__'"],
  ['preValidation', 'a function or an array of functions', [() => {}, 'auth'], "[ [Function (anonymous)], 'auth' ]"],
  ['shutdown.grace', 'an integer from 0 to 9000', 9001, '9001'],
  ['shutdown.spread', 'an integer from 0 to 8000', 8001, '8001'],
  ['heartbeat', OBJECT_OR_FALSE, true, 'true'],
  ['heartbeat.interval', INTEGER, 9, '9'],
  ['heartbeat.timeout', INTEGER, 86_400_001, '86400001'],
  ['heartbeat.every', 'one of interval, timeout', 5, '5'],
  ['maxMessageBytes', 'an integer from 1 to 2147483647', 2 ** 32, '4294967296'],
  ['messageRate', OBJECT_OR_FALSE, 10, '10'],
  ['messageRate.burst', 'an integer from 1 to 1000000', 0, '0'],
  ['messageRate.perSecond', RATE, 1e7, '10000000'],
  ['clock', 'an object with a method now()', { now: 1 }, '{ now: 1 }'],
  ['backplane', 'an object with the methods publish(), subscribe(), close()', { publish () {} }, '{ publish: [Function: publish] }'],
  ['backplane', 'an object with the methods publish(), subscribe(), close()', null, 'null'],
  ['backplane', 'an object with the methods publish(), subscribe(), close()', 'redis://localhost', "'redis://localhost'"],
  ['origin', ORIGIN, 'https://a.org', "'https://a.org'"],
  ['origin', ORIGIN, 'null', "'null'"],
  ['origin[0]', "'https://a.org'", ['https://a.org/'], "'https://a.org/'"],
  ['origin[0]', "'https://a.org'", ['HTTPS://A.org'], "'HTTPS://A.org'"],
  ['origin[0]', "'https://a.org'", ['https://a.org:443'], "'https://a.org:443'"],
  ['origin[0]', "'https://a.org'", ['https://user@a.org/path'], "'https://user@a.org/path'"],
  ['origin[0]', "'https://xn--bcher-kva.example'", ['https://bücher.example'], "'https://bücher.example'"],
  ['origin[1]', AN_ORIGIN, ['https://a.org', 'a.org'], "'a.org'"],
  ['origin[0]', AN_ORIGIN, ['a.org:80'], "'a.org:80'"],
  ['origin[0]', AN_ORIGIN, ['*'], "'*'"],
  ['origin[0]', AN_ORIGIN, ['https://*.a.org'], "'https://*.a.org'"],
  ['origin[0]', AN_ORIGIN, ['same-origin'], "'same-origin'"],
  ['origin[0]', AN_ORIGIN, ['wss://a.org'], "'wss://a.org'"],
  ['origin[0]', AN_ORIGIN, ['Capacitor://localhost'], "'Capacitor://localhost'"],
  ['origin[0]', AN_ORIGIN, ['capacitor://localhost/'], "'capacitor://localhost/'"],
  ['origin[0]', AN_ORIGIN, ['chrome-extension://*'], "'chrome-extension://*'"],
  ['origin[0]', AN_ORIGIN, [''], "''"],
  ['origin[0]', AN_ORIGIN, [undefined], 'undefined'],
  ['origin[0]', AN_ORIGIN, [null], 'null'],
  ['origin[0]', AN_ORIGIN, [/a/], '/a/'],
  ['origin[0]', AN_ORIGIN, [['https://a.org']], "[ 'https://a.org' ]"],
  ['protocols', PROTOCOLS, ['chat', 'chat'], "[ 'chat', 'chat' ]"],
  ['protocols', PROTOCOLS, ['time.v1'], "[ 'time.v1' ]"],
  ['protocols', PROTOCOLS, [''], "[ '' ]"],
  ['protocols', PROTOCOLS, ['a b'], "[ 'a b' ]"],
  ['protocols', PROTOCOLS, ['a,b'], "[ 'a,b' ]"],
  ['protocols', PROTOCOLS, ['a/b'], "[ 'a/b' ]"],
  ['protocols', PROTOCOLS, ['é'], "[ 'é' ]"],
  ['protocols', PROTOCOLS, ['chat\n'], "[ 'chat\\n' ]"],
  ['protocols', PROTOCOLS, ['chat', undefined], "[ 'chat', undefined ]"],
  ['protocols', PROTOCOLS, [1], '[ 1 ]'],
  ['maxClients', COUNT, 2 ** 53, '9007199254740992'],
  ['maxClients', COUNT, '100', "'100'"],
  ['route.url', 'left out: the plugin sets it', '/other', "'/other'"],
  ['route.path', 'left out: the plugin sets it', '/other', "'/other'"],
  ['route.method', 'left out: the plugin sets it', 'GET', "'GET'"],
  ['route.handler', 'left out: the plugin sets it', null, 'null'],
  ['route.wsHandler', 'left out: the plugin sets it', null, 'null'],
  ['route.websocket', 'left out: the plugin sets it', true, 'true'],
  ['route.preValidation', 'left out: the plugin sets it', [], '[]'],
  ['route.handlerTimeout', 'left out: the plugin sets it', 1000, '1000'],
  ['route.onRequest', 'a function or an array of functions', 'auth', "'auth'"],
  ['route.preHandler', 'a function or an array of functions', [null], '[ null ]'],
  ['route.errorHandler', 'a function', 'answer', "'answer'"],
  ['route.onSend', 'a function or an array of functions', {}, '{}'],
  ['route.schema', 'a plain object', null, 'null'],
  ['route.config', 'a plain object', 5, '5'],
  ['route.constraints', 'a plain object', 5, '5'],
  ['route.logSerializers', 'a plain object', null, 'null'],
  ['route.attachValidation', 'a boolean', 'yes', "'yes'"],
  ['route.exposeHeadRoute', 'a boolean', null, 'null'],
  ['route.validatorCompiler', 'a function', {}, '{}'],
  ['route.serializerCompiler', 'a function', null, 'null'],
  ['route.schemaErrorFormatter', 'a function', 'text', "'text'"],
  ['route.childLoggerFactory', 'a function', true, 'true'],
  ['route.logLevel', 'a string', 30, '30'],
  ['route.bodyLimit', `an integer from 1 to ${Number.MAX_SAFE_INTEGER}`, 0, '0'],
  ['route.prefixTrailingSlash', 'both, slash or no-slash', true, 'true'],
  ['route.helmet', 'a value, or left out', null, 'null'],
  ['websocket.options.port', 'left out: Fastify provides the server', 3000, '3000'],
  ['websocket.options.host', 'left out: Fastify provides the server', 'localhost', "'localhost'"],
  ['websocket.options.noServer', 'left out: Fastify provides the server', true, 'true'],
  ['websocket.options.server', 'an object with a method on()', {}, '{}'],
  ['websocket.options.maxPayload', 'an integer from 1 to 2147483647', 0, '0'],
  ['websocket.options.maxPayload', 'an integer from 1 to 2147483647', '1mb', "'1mb'"],
  ['websocket.options.maxFragments', 'an integer from 1 to 2147483647', 0.5, '0.5'],
  ['websocket.options.verifyClient', 'a function', true, 'true'],
  ['websocket.options.handleProtocols', 'a function', ['chat'], "[ 'chat' ]"],
  ['prefix', 'left out: use url', '/api', "'/api'"],
  ['prefix', 'left out: use url', null, 'null'],
  ['url', PATH, '/a:b?token=1', "'/a:b?token=1'"],
  ['shutdown', 'a plain object', new Map(), 'Map(0) {}']
]

for (const [shown, options] of [
  ['[]', []], ['Map(0) {}', new Map()], ['\'x\'', 'x'], ['Inherited {}', new (class Inherited { get interval () { return 1 } })()]
] as const) {
  test(`refuses ${shown} as the options`, async (t) => {
    t.throws(() => resolve(options), {
      message: `time socket option "options" must be a plain object, got ${shown}`
    })
  })
}

for (const unknown of [
  'Interval', 'urls', 'path', 'heartbeats', 'origins', 'protocol', 'rate', 'backplanes', 'constructor', '__proto__'
]) {
  const options = Object.defineProperty({}, unknown, { value: 1, enumerable: true })
  test(`refuses the unknown option ${unknown}`, async (t) => {
    t.throws(() => resolve(options), {
      code: 'FST_TIME_SOCKET_INVALID_OPTION',
      message: `time socket option "${unknown}" must be one of url, namespace, interval, immediate, format, preValidation, handler, route, serveClient, origin, protocols, context, onConnect, onMessage, onClose, onTick, maxClients, maxClientsPerIp, expiresAt, heartbeat, maxMessageBytes, messageRate, maxBufferedBytes, handshakeTimeout, shutdown, backplane, clock, websocket, logLevel, logSerializers, got 1`
    })
  })
}

for (const [option, expected, accepts] of wrongKinds) {
  test(`refuses values of the wrong kind for ${option}, and names the right kind`, async (t) => {
    for (const value of VALUES) {
      if (accepts(value)) continue
      t.throws(() => resolve(nest(option, value)), {
        code: 'FST_TIME_SOCKET_INVALID_OPTION',
        name: 'FastifyError',
        message: new RegExp(`^${escape(`time socket option "${option}" must be ${expected}, got `)}.+$`)
      }, String(value))
    }
  })
}

for (const [option, expected, value, shown] of wrongValues) {
  test(`refuses ${shown} as ${option}`, async (t) => {
    t.throws(() => resolve(nest(option, value)), {
      code: 'FST_TIME_SOCKET_INVALID_OPTION',
      message: `time socket option "${option}" must be ${expected}, got ${shown}`
    })
  })
}

test('refuses unknown fields of shutdown and websocket', async (t) => {
  t.throws(() => resolve({ shutdown: { Spread: 1 } }), {
    message: 'time socket option "shutdown.Spread" must be one of grace, spread, got 1'
  })
  t.throws(() => resolve({ websocket: { maxPayload: 1 } }), {
    message: 'time socket option "websocket.maxPayload" must be one of errorHandler, preClose, options, got 1'
  })
})

test('refuses a grace, even the default, that a short pluginTimeout does not allow', async (t) => {
  t.equal(resolve({ shutdown: { grace: 500 } }, 1500).shutdown.grace, 500)
  t.throws(() => resolve({}, 1500), {
    message: 'time socket option "shutdown.grace" must be an integer from 0 to 500, got 1000'
  })
  t.throws(() => resolve({ shutdown: { grace: 0 } }, 999), {
    message: 'time socket option "shutdown.grace" must be used with a pluginTimeout of at least 1000, got 0'
  })
})

test('refuses a spread that, together with the grace, exceeds the pluginTimeout', async (t) => {
  for (const [grace, spread] of [[0, 9000], [4000, 5000], [9000, 0]]) {
    t.strictSame(resolve({ shutdown: { spread, grace } }).shutdown, { grace, spread })
  }
  t.throws(() => resolve({ shutdown: { spread: 5001, grace: 4000 } }), {
    message: 'time socket option "shutdown.spread" must be an integer from 0 to 5000, got 5001'
  })
})

test('accepts any grace that a timer can wait if there is no pluginTimeout', async (t) => {
  t.equal(resolve({ shutdown: { grace: 2 ** 31 - 1 } }, 0).shutdown.grace, 2 ** 31 - 1)
  t.equal(resolve({ shutdown: { grace: 0, spread: 2 ** 31 - 1 } }, 0).shutdown.spread, 2 ** 31 - 1)
  t.throws(() => resolve({ shutdown: { grace: 2 ** 31 } }, 0), { code: 'FST_TIME_SOCKET_INVALID_OPTION' })
})

test('sets no bound if no pluginTimeout is given', async (t) => {
  t.equal(resolveOptions({ shutdown: { grace: 60_000 } }).shutdown.grace, 60_000)
})

test('fills in the defaults', async (t) => {
  const { context, onConnect, onMessage, onClose, onTick, clock, ...others } = resolve({})
  t.strictSame(others, {
    url: '/time',
    interval: 5000,
    immediate: true,
    format: FORMATS.iso,
    route: {},
    origin: 'same-origin',
    protocols: [],
    maxClients: Infinity,
    maxClientsPerIp: Infinity,
    maxMessageBytes: 4096,
    maxBufferedBytes: 65_536,
    handshakeTimeout: 10_000,
    serveClient: true,
    heartbeat: { interval: 25_000, timeout: 10_000 },
    messageRate: { burst: 20, perSecond: 10 },
    shutdown: { grace: 1000, spread: 0 }
  })
  t.strictSame(await context({} as never), {})
  for (const callback of [onConnect, onMessage, onClose, onTick]) {
    t.equal((callback as () => unknown)(), undefined)
  }
  const beforeMs = Date.now()
  const nowMs = clock.now()
  t.ok(nowMs > beforeMs - 1000 && nowMs < Date.now() + 1000, `${nowMs}`)
})

for (const [url, serveClient] of [
  ['/a/b', true], ['/:id', true], ['/:id(\\d*)', true], ['/', false], ['/a/', false], ['/:id?', false],
  ['/*', false], ['/a*', false]
] as const) {
  test(`serves ${serveClient ? 'the client' : 'no client'} below ${url} by default`, async (t) => {
    t.equal(resolve({ url }).serveClient, serveClient)
    t.equal(resolve({ url, serveClient: undefined }).serveClient, serveClient)
    t.equal(resolve({ url, serveClient: false }).serveClient, false)
  })
}

for (const url of ['/:id?', '/*', '/a/*']) {
  test(`refuses to serve the client below ${url}`, async (t) => {
    t.throws(() => resolve({ url, serveClient: true }), {
      code: 'FST_TIME_SOCKET_INVALID_OPTION',
      message: 'time socket option "serveClient" must be false for a url with optional or ' +
        'wildcard parts, got true'
    })
  })
}

test('treats undefined as absent, at every level', async (t) => {
  const { url, shutdown, interval } = resolve({
    url: undefined,
    interval: undefined,
    shutdown: { grace: undefined, spread: undefined },
    heartbeat: { interval: undefined },
    prefix: undefined,
    more: undefined,
    route: { url: undefined, onRequest: undefined }
  })
  t.strictSame([url, shutdown, interval], ['/time', { grace: 1000, spread: 0 }, 5000])
})

const accepted: [option: string, value: unknown][] = [
  ['url', '/'], ['url', '/a/b'], ['url', '/:id'], ['url', '/:id?'], ['url', '/*'],
  ['namespace', 'auction'], ['namespace', '_a1'], ['namespace', 'Stats'],
  ['interval', 10], ['interval', 86_400_000],
  ['immediate', false],
  ['preValidation', () => {}], ['preValidation', []], ['preValidation', [() => {}, () => {}]],
  ['handler', () => {}],
  ['route', { schema: {}, config: {}, onRequest: () => {}, logLevel: 'warn' }],
  ['route', { bodyLimit: 1, exposeHeadRoute: false, prefixTrailingSlash: 'slash', helmet: false }],
  ['serveClient', true], ['serveClient', false],
  ['context', () => ({})], ['onConnect', () => {}], ['onMessage', () => {}], ['onClose', () => {}],
  ['onTick', () => {}],
  ['origin', '*'], ['origin', []], ['origin', ['https://a.org', 'http://[::1]:8080', 'null']],
  ['origin', () => true],
  ['protocols', []], ['protocols', ['chat', 'chat.v2', 'TIME.V1', '!#$%&\'*+-.^_`|~0a']],
  ['maxClients', 1], ['maxClients', Infinity], ['maxClientsPerIp', 1], ['maxClientsPerIp', Infinity],
  ['expiresAt', () => undefined],
  ['heartbeat', false], ['heartbeat', { interval: 10, timeout: 86_400_000 }],
  ['maxMessageBytes', 1], ['maxMessageBytes', 2 ** 31 - 1],
  ['messageRate', false], ['messageRate', { burst: 1, perSecond: 0.1 }],
  ['maxBufferedBytes', 0], ['maxBufferedBytes', 2 ** 31 - 1],
  ['handshakeTimeout', 1], ['handshakeTimeout', 2 ** 31 - 1],
  ['shutdown', { grace: 0, spread: 9000 }], ['shutdown', { grace: 9000, spread: 0 }],
  ['backplane', { publish () {}, subscribe () {}, close () {} }],
  ['clock', { now: () => 0 }],
  ['websocket', { options: { maxPayload: 10, port: undefined, perMessageDeflate: true } }],
  ['logLevel', 'warn'], ['logSerializers', { req: () => '' }]
]

for (const [option, value] of accepted) {
  test(`accepts ${option}: ${JSON.stringify(value) ?? 'a function'}`, async (t) => {
    const resolved = resolve({ [option]: value }) as unknown as Record<string, unknown>
    t.strictSame(resolved[option], value)
  })
}

test('accepts every format by its name, and a function unchanged', async (t) => {
  for (const name of ['iso', 'date-string', 'timestamp', 'json'] as const) {
    t.equal(resolve({ format: name }).format, FORMATS[name])
  }
  const format = () => 'now'
  t.equal(resolve({ format }).format, format)
})

/** `shutdown.grace` as an object of objects; of `origin[1]` the value is the whole list. */
function nest (option: string, value: unknown): object {
  return option.replace(/\[\d\]$/, '').split('.').reduceRight((inner, name) => ({ [name]: inner }), value) as object
}

function escape (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
