import { test } from 'tap'
import type { FastifyRequest } from 'fastify'
import type { TimeSocketClient, TimeSocketOptions } from '../../../src/index.js'
import { simulateTimers } from '../../helpers/fakes/simulated-timers.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { connect, refused } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]
type ExpiresAt = NonNullable<TimeSocketOptions['expiresAt']>

const DAY_MS = 86_400_000
const LASTS_MS = 300
/** The time between two checks: a permission may last so much longer. */
const CHECK_MS = 250
const EXPIRED = {
  statusCode: 401,
  code: 'FST_TIME_SOCKET_EXPIRED',
  error: 'Unauthorized',
  message: 'the permission to connect has expired'
}
const FAILED = { statusCode: 500, error: 'Internal Server Error', message: 'Internal Server Error' }

async function setUp (t: Test, expiresAt: ExpiresAt, options: TimeSocketOptions = {}) {
  const closed: string[] = []
  const { app, log, timeSocket } = await createTimeApp(t, {
    expiresAt,
    onClose: (_client, { code, reason, cause }) => { closed.push(`${code} ${cause} ${reason}`) },
    ...options
  })
  const port = await listen(app)
  const address = `127.0.0.1:${port}/time`
  return { closed, log, timeSocket, url: `ws://${address}`, http: `http://${address}` }
}

type Kind = (atMs: number) => ReturnType<ExpiresAt>

const kinds: [title: string, kind: Kind][] = [
  ['milliseconds', (atMs) => atMs],
  ['a fraction', (atMs) => atMs + 0.25],
  ['a Date', (atMs) => new Date(atMs)],
  ['a promise of milliseconds', async (atMs) => atMs],
  ['a promise of a Date', async (atMs) => new Date(atMs)]
]

for (const [title, kind] of kinds) {
  for (const heartbeat of [undefined, false] as const) {
    test(`on a real port, ${title} closes the client with 4401 at that time, heartbeat ${heartbeat}`, async (t) => {
      const time = simulateTimers(t)
      const { clock } = time
      const { closed, timeSocket, url } = await setUp(
        t, () => kind(clock.now() + LASTS_MS), { clock, heartbeat })
      const peer = await connect(url)
      time.advance(LASTS_MS - 1)
      t.equal(timeSocket.broadcast('still here'), 1)
      time.advance(1 + CHECK_MS)
      t.equal(timeSocket.broadcast('too late'), 0)
      t.strictSame(await peer.closed, [4401, 'permission expired'])
      await waitFor(() => timeSocket.clients.size === 0, 'leaving')
      t.strictSame(closed, ['4401 expired permission expired'])
    })
  }
}

const late: [title: string, expiresAt: () => unknown][] = [
  ['undefined', () => undefined],
  ['a promise of undefined', async () => {}],
  ['30 days, more than a timer can wait', () => Date.now() + 30 * DAY_MS],
  ['the last moment that Date knows', () => 8.64e15]
]

for (const [title, expiresAt] of late) {
  test(`on a real port, a connection lasts with ${title}`, async (t) => {
    const warnings: Error[] = []
    const keep = (warning: Error) => { warnings.push(warning) }
    process.on('warning', keep)
    t.teardown(() => process.off('warning', keep))
    const isLate = ({ query }: FastifyRequest) => 'late' in Object(query)
    const { closed, timeSocket, url } = await setUp(t, (request) =>
      isLate(request) ? expiresAt() as Date : Date.now() + DAY_MS)
    const lasting = await connect(`${url}?late`)
    const other = await connect(url)
    const client = [...timeSocket.clients.values()][1] as TimeSocketClient
    client.expiresAt = Date.now() + LASTS_MS
    await other.closed
    await waitFor(() => timeSocket.clients.size === 1, 'leaving')
    t.equal(lasting.ws.readyState, lasting.ws.OPEN)
    t.strictSame([closed.length, warnings], [1, []])
  })
}

test('on a real port, the remaining time is measured monotonically, whatever the wall clock does', async (t) => {
  const time = simulateTimers(t)
  const { clock } = time
  const { closed, timeSocket, url } = await setUp(t, () => clock.now() + LASTS_MS, { clock })
  const peers = [await connect(url)]
  time.step(3_600_000)
  peers.push(await connect(url))
  time.step(-7_200_000)
  time.advance(LASTS_MS - 1)
  t.equal(timeSocket.broadcast('still here'), 2)
  time.advance(1 + CHECK_MS)
  for (const peer of peers) t.strictSame(await peer.closed, [4401, 'permission expired'])
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  t.strictSame(closed, Array(2).fill('4401 expired permission expired'))
})

for (const [title, expiresAt] of [
  ['a moment that has passed', () => Date.now() - 1],
  ['this very moment', () => Date.now()],
  ['a promise of a moment that has passed', async () => new Date(Date.now() - 1)]
] as const) {
  test(`on a real port, ${title} refuses upgrade and GET with 401`, async (t) => {
    const { url, http, log, timeSocket } = await setUp(t, expiresAt)
    const upgrade = await refused(url)
    const get = await fetch(http)
    t.strictSame([upgrade.status, JSON.parse(upgrade.body)], [401, EXPIRED])
    t.strictSame([get.status, await get.json()], [401, EXPIRED])
    t.strictSame([upgrade.headers.connection, get.headers.get('connection')], ['close', 'close'])
    t.equal(timeSocket.stats().refused.expired, 1)
    t.strictSame(log.messages('error'), [])
  })
}

test('on a real port, GET is answered with the time while the permission lasts, without a call of context', async (t) => {
  let asked = 0
  const context = () => ({ number: asked++ })
  const { http } = await setUp(t, () => Date.now() + 60_000, { context })
  t.equal((await fetch(http)).status, 200)
  t.equal(asked, 0)
})

const mistakes: [title: string, expiresAt: () => unknown, line: RegExp][] = [
  ['the exp of a JWT, in seconds', () => Math.floor(Date.now() / 1000) + 3600, /got \d{10} .*return exp \* 1000/],
  ['a promise of NaN', async () => NaN, /got NaN .*return exp \* 1000/],
  ['an invalid Date', () => new Date('soon'), /got Invalid Date .*return exp \* 1000/],
  ['null', () => null, /got null .*return exp \* 1000/],
  ['a throw', () => { throw new Error('no secret') }, /^no secret$/],
  ['a rejection', () => Promise.reject(new Error('no secret')), /^no secret$/]
]

for (const [title, expiresAt, line] of mistakes) {
  test(`on a real port, ${title} answers 500 without detail, and logs one error line`, async (t) => {
    const { url, http, log, timeSocket } = await setUp(t, expiresAt as ExpiresAt)
    const upgrade = await refused(url)
    t.strictSame([upgrade.status, JSON.parse(upgrade.body)], [500, FAILED])
    const get = await fetch(http)
    t.strictSame([get.status, await get.json()], [500, FAILED])
    const errors = log.lines.filter(({ level }) => level >= 40)
    t.match(errors.map(({ err }) => err), [{ message: line }])
    t.equal(errors.length, 1)
    t.equal(timeSocket.stats().refused.hook, 1)
  })
}

test('on a real port, a context that rejects while expiresAt throws causes no unhandled rejection', async (t) => {
  const surprises: unknown[] = []
  const keep = (err: unknown) => { surprises.push(err) }
  process.on('unhandledRejection', keep)
  t.teardown(() => process.off('unhandledRejection', keep))
  let fail: ((err: Error) => void) | undefined
  const { url } = await setUp(t, () => { throw new Error('no session') }, {
    context: () => new Promise((_resolve, reject) => { fail = reject })
  })
  const upgrade = refused(url)
  await waitFor(() => fail !== undefined, 'the context')
  fail?.(new Error('no database'))
  t.equal((await upgrade).status, 500)
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(surprises, [])
})

test('on a real port, a permission can be renewed, and read back as it was set', async (t) => {
  const time = simulateTimers(t)
  const { clock } = time
  const { timeSocket, url } = await setUp(t, () => clock.now() + LASTS_MS, { clock })
  const peer = await connect(url)
  const client = [...timeSocket.clients.values()][0] as TimeSocketClient
  const laterMs = clock.now() + DAY_MS
  client.expiresAt = laterMs
  t.equal(client.expiresAt, laterMs)
  client.expiresAt = new Date(laterMs)
  t.equal(client.expiresAt, laterMs)
  client.expiresAt = undefined
  t.equal(client.expiresAt, undefined)
  time.advance(2 * LASTS_MS)
  t.equal(timeSocket.broadcast('still here'), 1)
  client.expiresAt = clock.now() - 1
  time.advance(CHECK_MS)
  t.strictSame(await peer.closed, [4401, 'permission expired'])
})

test('refuses an invalid expiresAt, and keeps the previous one', async (t) => {
  const { timeSocket, url } = await setUp(t, () => undefined)
  await connect(url)
  const client = [...timeSocket.clients.values()][0] as TimeSocketClient
  const atMs = Date.now() + DAY_MS
  client.expiresAt = atMs
  for (const [value, shown] of [
    [Math.floor(atMs / 1000), String(Math.floor(atMs / 1000))], [NaN, 'NaN'], [null, 'null'],
    [new Date(NaN), 'Invalid Date'], ['2030-01-01', "'2030-01-01'"]
  ] as const) {
    t.throws(() => { client.expiresAt = value as number }, {
      code: 'FST_TIME_SOCKET_INVALID_ARGUMENT',
      message: 'expiresAt must be a Date, milliseconds since the Unix epoch (the exp of a JWT is in ' +
        `seconds: exp * 1000) or undefined, got ${shown}`
    })
    t.equal(client.expiresAt, atMs)
  }
})
