import createError from '@fastify/error'
import type { FastifyError } from '@fastify/error'
import { test } from 'tap'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { UnsupportedProtocolError } from '../../../src/api/errors.js'
import { createRefusals } from '../../../src/http/refusals.js'
import type { UpgradeGuard } from '../../../src/http/upgrade/upgrade-guard.js'
import type { Telemetry } from '../../../src/observability/telemetry.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'
import type { RefusalCause, TimeSocketOptions } from '../../../src/index.js'
import timeSocket from '../../../src/index.js'
import { createApp, listen } from '../../helpers/network/app.js'
import { openRaw, upgradeRequest } from '../../helpers/network/raw.js'
import { waitFor, within } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createApp>[0]
type App = ReturnType<typeof createApp>['app']
type Peer = ReturnType<typeof openRaw>

interface Refusal {
  title: string
  cause: RefusalCause
  options?: TimeSocketOptions
  /** Done before the plugin is registered, and before anybody connects. */
  prepare?: (app: App) => unknown
  begin?: (app: App, port: number) => unknown
  headers?: string[]
  status: number
  code?: string
}

const HANDSHAKE_TIMEOUT_MS = 100
const hang = () => new Promise<never>(() => {})

const refusals: Refusal[] = [
  {
    title: 'a foreign origin',
    cause: 'origin',
    headers: ['Origin: https://example.org'],
    status: 403,
    code: 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN'
  },
  {
    title: 'no room',
    cause: 'capacity',
    options: { maxClients: 1 },
    begin: (_app, port) => openRaw(port, upgradeRequest('/time')).answered,
    status: 503,
    code: 'FST_TIME_SOCKET_TOO_MANY_CLIENTS'
  },
  {
    title: 'no room for the address',
    cause: 'capacityPerIp',
    options: { maxClientsPerIp: 1 },
    begin: (_app, port) => openRaw(port, upgradeRequest('/time')).answered,
    status: 429,
    code: 'FST_TIME_SOCKET_TOO_MANY_CLIENTS_FROM_IP'
  },
  {
    title: 'a subprotocol that is not supported',
    cause: 'protocol',
    headers: ['Sec-WebSocket-Protocol: chat'],
    status: 400,
    code: 'FST_TIME_SOCKET_UNSUPPORTED_PROTOCOL'
  },
  {
    title: 'a hook that answers',
    cause: 'hook',
    options: { preValidation: async (_request, reply) => await reply.code(401).send('no') },
    status: 401
  },
  {
    title: 'a hook that answers with status 200',
    cause: 'hook',
    options: { preValidation: async (_request, reply) => await reply.send('no') },
    status: 200
  },
  {
    title: 'a hook that throws',
    cause: 'hook',
    options: { route: { preHandler: () => { throw new Error('no database') } } },
    status: 500
  },
  {
    title: 'a context that throws',
    cause: 'hook',
    options: { context: () => { throw new Error('no database') } },
    status: 500
  },
  {
    title: 'an origin function that throws',
    cause: 'hook',
    options: { origin: () => { throw new Error('no database') } },
    headers: ['Origin: https://example.org'],
    status: 500
  },
  {
    title: 'a permission that has expired',
    cause: 'hook',
    options: { expiresAt: () => new Date(0) },
    status: 500
  },
  {
    title: 'a permission that has just expired',
    cause: 'expired',
    options: { expiresAt: () => new Date(Date.now() - 1) },
    status: 401,
    code: 'FST_TIME_SOCKET_EXPIRED'
  },
  {
    title: 'a query that does not fit the schema',
    cause: 'hook',
    options: {
      route: { schema: { querystring: { type: 'object', required: ['room'] } } }
    },
    status: 400
  },
  {
    title: 'a hook of the application that runs before all of the plugin\'s',
    cause: 'hook',
    prepare: (app) => app.addHook('onRequest', refuseEarly),
    status: 503
  },
  {
    title: 'a hook that hangs',
    cause: 'timeout',
    options: { preValidation: hang },
    status: 503,
    code: 'FST_TIME_SOCKET_HANDSHAKE_TIMEOUT'
  },
  {
    title: 'a time socket that has closed',
    cause: 'closing',
    begin: (app) => app.timeSocket.close(),
    status: 503,
    code: 'FST_TIME_SOCKET_UNAVAILABLE'
  }
]

async function refuseEarly (_request: FastifyRequest, reply: FastifyReply) {
  return await reply.code(503).send('under pressure')
}

/** A server, and what its `refuse` channel and its statistics will say. */
async function setUp (t: Test, options: TimeSocketOptions, prepare?: Refusal['prepare']) {
  const { app, log } = createApp(t)
  prepare?.(app)
  await app.register(timeSocket, {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS, shutdown: { grace: 50 }, ...options
  })
  const port = await listen(app)
  const counted = () =>
    Object.entries(app.timeSocket.stats().refused).filter(([, count]) => count > 0)
  return { app, log, port, counted }
}

for (const { title, cause, options = {}, prepare, begin, headers = [], status } of refusals) {
  test(`on a real port, ${title} counts once, as ${cause}`, async (t) => {
    const { app, port, counted } = await setUp(t, options, prepare)
    await begin?.(app, port)
    const { accepted } = app.timeSocket.stats()
    const peer = openRaw(port, upgradeRequest('/time', { headers }))
    t.match(await peer.ended, new RegExp(`^HTTP/1.1 ${status} `))
    await waitFor(() => counted().length > 0, 'the count')
    t.strictSame(counted(), [[cause, 1]])
    await openRaw(port, upgradeRequest('/time', { headers })).ended
    t.strictSame(counted(), [[cause, 2]])
    t.equal(app.timeSocket.stats().accepted, accepted)
  })

  test(`a plain request is not an upgrade, and ${title} is not counted`, async (t) => {
    const { app, port, counted } = await setUp(t, options, prepare)
    await begin?.(app, port)
    const own = Object.fromEntries(headers.map((line) => line.split(': ')))
    await app.inject({ url: '/time', headers: own })
    t.strictSame(counted(), [])
  })
}

test('on a real port, a connection that is lost before the answer counts once, as aborted', async (t) => {
  let isAsked = false
  const preValidation = async () => {
    isAsked = true
    await hang()
  }
  const { port, counted } = await setUp(t, { preValidation, handshakeTimeout: 5000 })
  const peer = openRaw(port, upgradeRequest('/time'))
  await waitFor(() => isAsked, 'the hook')
  peer.socket.resetAndDestroy()
  await waitFor(() => counted().length > 0, 'the count')
  t.strictSame(counted(), [['aborted', 1]])
})

const earlyEnds: [cause: RefusalCause, end: (app: App, peer: Peer) => unknown][] = [
  ['timeout', () => {}],
  ['closing', async (app) => await app.close()],
  ['aborted', (_app, { socket }) => socket.resetAndDestroy()]
]

for (const [cause, end] of earlyEnds) {
  test(`on a real port, an upgrade that ends in a hook before all of the plugin's counts once, as ${cause}`, async (t) => {
    let isAsked = false
    const handshakeTimeout = cause === 'timeout' ? HANDSHAKE_TIMEOUT_MS : 60_000
    const { app, log, port, counted } = await setUp(t, { handshakeTimeout }, (app) => {
      app.addHook('onRequest', async () => {
        isAsked = true
        await hang()
      })
    })
    const peer = openRaw(port, upgradeRequest('/time?token=SECRET'))
    await waitFor(() => isAsked, 'the hook')
    await end(app, peer)
    await waitFor(() => counted().length > 0, 'the count')
    t.strictSame(counted(), [[cause, 1]])
    const warnings = log.lines.filter(({ msg }) => msg.startsWith('upgrade refused: '))
    t.strictSame(warnings.map((line) => line.cause), cause === 'timeout' ? [cause] : [])
    const refused = log.lines.filter(({ msg }) => msg === 'refused')
    t.equal(refused.length, cause === 'aborted' ? 0 : 1)
  })
}

for (const [title, from, to] of [
  ['an unknown version of the protocol', 'Version: 13', 'Version: 7'],
  ['a key that is too short', 'dGhlIHNhbXBsZSBub25jZQ==', 'c2hvcnQ='],
  ['no key', /Sec-WebSocket-Key: \S+\r\n/, '']
] as const) {
  test(`on a real port, ${title} counts once, as protocol`, async (t) => {
    const { app, port, counted } = await setUp(t, {})
    const answer = await openRaw(port, upgradeRequest('/time').replace(from, to)).ended
    t.match(answer, /^HTTP\/1.1 (400|426) /)
    await waitFor(() => counted().length > 0, 'the count')
    t.strictSame(counted(), [['protocol', 1]])
    t.equal(app.timeSocket.stats().accepted, 0)
  })
}

test('an injected upgrade that is refused counts once', async (t) => {
  const { app, counted } = await setUp(t, { maxClients: 1, origin: () => false })
  const refused = app.injectWS('/time', { headers: { origin: 'https://example.org' } })
  await t.rejects(refused, { message: 'Unexpected server response: 403' })
  t.strictSame(counted(), [['origin', 1]])
})

test('on a real port, upgrades that the closing server ends count once, as closing', async (t) => {
  let asked = 0
  const preValidation = async () => {
    asked++
    await hang()
  }
  const { app, port, counted } = await setUp(t, { preValidation, handshakeTimeout: 5000 })
  const peers = Array.from({ length: 3 }, () => openRaw(port, upgradeRequest('/time')))
  await waitFor(() => asked === 3, 'the hook')
  await app.close()
  for (const peer of peers) t.match(await peer.ended, /^HTTP\/1.1 503 /)
  t.strictSame(counted(), [['closing', 3]])
})

test('an upgrade whose Upgrade header a proxy has stripped gets 426, after the origin check', async (t) => {
  const { app, port, counted } = await setUp(t, {})
  const stripped = (headers: string[]) => upgradeRequest('/time', { headers })
    .replace('Connection: Upgrade\r\nUpgrade: websocket\r\n', 'Connection: close\r\n')
  const answer = await openRaw(port, stripped([])).ended
  t.match(answer, /^HTTP\/1\.1 426 [^]*"code":"FST_TIME_SOCKET_UPGRADE_REQUIRED"/)
  t.match(answer, /\r\nupgrade: websocket\r\n/)
  t.match(await openRaw(port, stripped(['Origin: https://example.org'])).ended, /^HTTP\/1\.1 403 /)
  await waitFor(() => counted().length > 0, 'the count')
  t.strictSame(counted(), [['protocol', 1]])
  t.equal(app.timeSocket.stats().http.refused, 1)
})

for (const [title, options, headers, fields] of [
  ['a foreign origin', {}, ['Origin: https://example.org'], {
    cause: 'origin',
    code: 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN',
    count: 1,
    origin: 'https://example.org',
    host: '127.0.0.1',
    hint: /trustProxy.*X-Forwarded-Host/
  }],
  ['an unknown subprotocol', {}, ['Sec-WebSocket-Protocol: chat'], {
    cause: 'protocol', code: 'FST_TIME_SOCKET_UNSUPPORTED_PROTOCOL', count: 1
  }],
  ['a handshake that hangs', { preValidation: hang }, [], {
    cause: 'timeout', code: 'FST_TIME_SOCKET_HANDSHAKE_TIMEOUT', count: 1
  }],
  ['a broken handshake', {}, ['Sec-WebSocket-Version: 7'], { cause: 'protocol', count: 1 }]
] as const) {
  test(`refusing ${title} logs one warning in ten seconds`, async (t) => {
    const { app, log } = createApp(t)
    await app.register(timeSocket, { handshakeTimeout: HANDSHAKE_TIMEOUT_MS, ...options })
    const port = await listen(app)
    for (let i = 0; i < 3; i++) await openRaw(port, upgradeRequest('/time', { headers })).ended
    const { refused } = app.timeSocket.stats()
    t.equal(Object.values(refused).reduce((sum, count) => sum + count), 3)
    const lines = log.lines.filter(({ msg }) => msg.startsWith('upgrade refused: '))
    t.equal(lines.length, 1)
    t.match(lines, [{ level: 40, ...fields }])
    const refusals = log.lines.filter(({ level, msg }) => level === 20 && msg === 'refused')
    t.strictSame(refusals.map(({ timeSocket, code }) => [timeSocket, code]),
      'code' in fields ? Array(3).fill(['/time', fields.code]) : [])
  })
}

/** Refuses requests without a server. `lines` has what is logged, `counted` what is counted. */
function setUpAlone () {
  const time = createFakeTime({ wallMs: 0 })
  const lines: object[] = []
  const counted: unknown[][] = []
  const warn = (fields: object) => { lines.push(fields) }
  const log = { debug () {}, info () {}, error () {}, warn }
  const telemetry = {
    refused (...refusal: unknown[]) { counted.push(refusal) }, counters: {}
  } as unknown as Telemetry<unknown>
  const guard = {} as UpgradeGuard
  const refusals = createRefusals({ telemetry, guard, log, timers: time.timers })
  const refuse = (refusal: FastifyError) => refusals.refuse(
    { ws: true, raw: {}, log } as unknown as FastifyRequest,
    {
      headers () {}, code () { return this }, type () { return this }, send () {}
    } as unknown as FastifyReply,
    refusal
  )
  return { time, lines, counted, refuse }
}

test('a warning has the number of refusals since the previous one', async (t) => {
  const { time, lines, refuse } = setUpAlone()
  for (let i = 0; i < 5; i++) refuse(new UnsupportedProtocolError('time.v1'))
  time.advance(10_000)
  refuse(new UnsupportedProtocolError('time.v1'))
  t.match(lines, [{ count: 1 }, { count: 5 }])
  t.equal(lines.length, 2)
})

test('a refusal with a code of other software counts as hook, and logs no warning', async (t) => {
  const { lines, counted, refuse } = setUpAlone()
  const TeapotError = createError('TEAPOT', 'no coffee', 418)
  refuse(new TeapotError())
  t.strictSame([counted, lines], [[['hook', 'TEAPOT']], []])
})

test('a HEAD request that asks for an upgrade counts as plain HTTP', async (t) => {
  const { app, port, counted } = await setUp(t, {})
  t.match(await openRaw(port, upgradeRequest('/time', { method: 'HEAD' })).ended, /^HTTP\/1\.1 200 /)
  await waitFor(() => app.timeSocket.stats().http.answered > 0, 'the count')
  t.strictSame(counted(), [])
})

for (const [title, headers, body] of [
  ['of a length', ['Content-Length: 5'], 'hello'],
  ['of chunks', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n']
] as const) {
  for (const when of ['at once', 'later', 'never'] as const) {
    test(`an upgrade that announces a body ${title}, which comes ${when}, ends`, async (t) => {
      const { app, log } = createApp(t)
      app.post('/echo', ({ body }) => ({ body }))
      app.get('/plain', () => 'plain')
      await app.register(timeSocket, { handshakeTimeout: 200 })
      const port = await listen(app)
      for (const [method, path, answer] of [
        ['GET', '/time', /^HTTP\/1\.1 426 /],
        ['GET', '/plain', /^HTTP\/1\.1 200 [^]*plain$/],
        // Node.js before 26 does not read the body.
        ['POST', '/echo', /^HTTP\/1\.1 (200|400|415|503) /]
      ] as const) {
        const head = upgradeRequest(path, { method, headers: [...headers, 'Content-Type: text/plain'] })
        const peer = openRaw(port, when === 'at once' ? head + body : head)
        if (when === 'later') setTimeout(() => peer.socket.write(body), 20)
        t.match(await peer.ended, answer)
      }
      t.equal(app.timeSocket.stats().refused.protocol, 1)
      t.strictSame(log.messages('error'), [])
      await within(app.close(), 'closing')
    })
  }

  test(`an upgrade that announces a body ${title} ends while a hook is pending`, async (t) => {
    const { app } = createApp(t)
    await app.register(timeSocket, { handshakeTimeout: 200, preValidation: hang })
    app.addHook('onRequest', hang)
    app.get('/hanging', () => 'never')
    const port = await listen(app)
    const peers = ['/time', '/hanging'].map((path) =>
      openRaw(port, upgradeRequest(path, { headers: [...headers] })))
    for (const peer of peers) t.match(await peer.ended, /^HTTP\/1\.1 (426|503) /)
    await within(app.close(), 'closing')
  })

  test(`a client that resets before it has sent a body ${title} does not affect other clients`, async (t) => {
    const { app } = createApp(t)
    let asked = 0
    await app.register(timeSocket, { handshakeTimeout: 60_000 })
    app.get('/hanging', { onRequest: async () => { asked++; await hang() } }, () => 'never')
    const port = await listen(app)
    const peer = openRaw(port, upgradeRequest('/hanging', { headers: [...headers] }))
    await waitFor(() => asked === 1, 'the hook')
    peer.socket.resetAndDestroy()
    await peer.ended
    await within(app.close(), 'closing')
  })
}
