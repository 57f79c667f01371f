import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeAnswer, TimeSocketOptions } from '../../../src/index.js'
import { createApp, createTimeApp } from '../../helpers/network/app.js'

type Test = Parameters<typeof createTimeApp>[0]

const MEDIA_TYPE = 'application/vnd.time-socket+json'
const MAIL: TimeSocketOptions['handler'] = (_request, reply) => { reply.send('mail') }

/** What a plain request with this `Accept` is answered where the application has a handler. */
async function ask (t: Test, accept: string | undefined, options: TimeSocketOptions = {}) {
  const { app } = await createTimeApp(t, { handler: MAIL, ...options })
  return await app.inject({ url: '/time', headers: accept === undefined ? {} : { accept } })
}

const wanted: [accept: string, id: number | undefined][] = [
  [`${MEDIA_TYPE};id=12`, 12],
  [`${MEDIA_TYPE};id=0`, 0],
  [`${MEDIA_TYPE};id=2147483647`, 2_147_483_647],
  [`${MEDIA_TYPE};id="12"`, 12],
  [`${MEDIA_TYPE} ; id=12 ; q=1`, 12],
  [`${MEDIA_TYPE};a=1;b="x;y,z";id=12`, 12],
  ['Application/VND.Time-Socket+JSON;ID=12', 12],
  [`text/html;level=1, ${MEDIA_TYPE};id=12, */*;q=0.1`, 12],
  [`text/html;title="a\\"b,c", ${MEDIA_TYPE};id=12`, 12],
  [MEDIA_TYPE, undefined],
  [`${MEDIA_TYPE};id=2147483648`, undefined],
  [`${MEDIA_TYPE};id=99999999999999999999`, undefined],
  [`${MEDIA_TYPE};id=-1`, undefined],
  [`${MEDIA_TYPE};id=1.5`, undefined],
  [`${MEDIA_TYPE};id=1e3`, undefined],
  [`${MEDIA_TYPE};id=0x10`, undefined],
  [`${MEDIA_TYPE};id=`, undefined],
  [`${MEDIA_TYPE};id`, undefined],
  [`${MEDIA_TYPE};id="1`, undefined],
  [`${MEDIA_TYPE};id=x,y`, undefined],
  [`${MEDIA_TYPE};valid=5`, undefined],
  [`${MEDIA_TYPE};id="},{"`, undefined],
  [`${MEDIA_TYPE}${';a="b,c"'.repeat(1000)}`, undefined],
  [`${MEDIA_TYPE};id=${'9'.repeat(10_000)}`, undefined]
]

for (const [accept, id] of wanted) {
  test(`Accept: ${accept.slice(0, 80)} gets the time, id ${id}`, async (t) => {
    const answer = await ask(t, accept)
    t.equal(answer.statusCode, 200)
    t.match(answer.headers, { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store', vary: 'accept' })
    const body: TimeAnswer = answer.json()
    const names = ['now', 'hold', 'interval', 'clockSteps', 'server', 'protocols']
    t.strictSame(Object.keys(body), id === undefined ? names : ['id', ...names])
    t.equal(body.id, id)
  })
}

const others = [
  undefined,
  '',
  '*/*',
  'application/*',
  'application/json',
  'application/vnd.time-socket',
  `x${MEDIA_TYPE};id=1`,
  `${MEDIA_TYPE}x;id=1`,
  `text/html;${MEDIA_TYPE};id=1`,
  `text/html;title=", ${MEDIA_TYPE};id=1"`,
  `text/html;title=", ${MEDIA_TYPE};id=1`,
  `${MEDIA_TYPE};id=1;q=0`,
  `${MEDIA_TYPE};id=1;q=0.000`,
  ',;,;=",",',
  '"\\'.repeat(5000),
  '"'.repeat(10_001),
  ','.repeat(10_000),
  ';id=1'.repeat(2000)
]

for (const accept of others) {
  test(`Accept: ${accept?.slice(0, 80)} gets the answer of the application's handler`, async (t) => {
    const { body, headers } = await ask(t, accept)
    t.strictSame([body, headers.vary, headers['cache-control']], ['mail', 'accept', undefined])
  })
}

test('in the application\'s handler, this is the application; the handler may be asynchronous', async (t) => {
  let self: unknown
  const { app } = await createTimeApp(t, {
    async handler () {
      self = this
      return 'mail'
    }
  })
  t.equal((await app.inject('/time')).body, 'mail')
  t.equal((self as typeof app).timeSocket, app.timeSocket)
})

test('without a handler every plain request gets the time, as JSON', async (t) => {
  const { body, headers } = await ask(t, 'text/html', { handler: undefined })
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.equal(headers.vary, 'accept')
  t.equal(JSON.parse(body).id, undefined)
})

test('HEAD is answered as GET, without the body', async (t) => {
  const { app } = await createTimeApp(t)
  const request = { url: '/time', headers: { accept: `${MEDIA_TYPE};id=5` } }
  const head = await app.inject({ method: 'HEAD', ...request })
  t.strictSame([head.statusCode, head.body], [200, ''])
  t.match(head.headers, {
    'content-type': MEDIA_TYPE, 'cache-control': 'no-store', vary: 'accept', 'content-length': /^\d+$/
  })
})

/** An answer for which something takes a while, by the clock of the hooks. */
async function askSlow (t: Test, where: 'onRequest' | 'preValidation' | 'onSend') {
  const lapseMs = 50
  let tookMs = 0
  const { app } = await createTimeApp(t, {
    [where === 'preValidation' ? 'preValidation' : 'route']: where === 'preValidation' ? wait : { [where]: wait }
  })
  async function wait (): Promise<void> {
    const startedMs = performance.now()
    // A stall, not a timer: what Node's timers round does not matter.
    while (performance.now() < startedMs + lapseMs);
    await new Promise(setImmediate)
    tookMs = performance.now() - startedMs
  }
  const sentMs = app.timeSocket.now()
  const { now, hold }: TimeAnswer = (await app.inject('/time')).json()
  const receivedMs = app.timeSocket.now()
  return { sentMs, now, hold, receivedMs, tookMs }
}

for (const where of ['onRequest', 'preValidation', 'onSend'] as const) {
  test(`hold includes the time of an ${where} hook, and now is later`, async (t) => {
    const { sentMs, now, hold, receivedMs, tookMs } = await askSlow(t, where)
    t.ok(hold >= tookMs - 0.02, `${hold} of ${tookMs} ms`)
    t.ok(now - hold >= sentMs - 0.25, 'arrived after it was sent')
    t.ok(now >= sentMs + tookMs - 0.25, 'was written after the hook')
    t.ok(now <= receivedMs + 0.02, 'was written before it came')
  })
}

test('hold includes the time of application hooks that run before the route\'s', async (t) => {
  const { app } = createApp(t)
  app.addHook('onRequest', async () => { await new Promise((resolve) => setTimeout(resolve, 20)) })
  await app.register(timeSocket)
  t.ok((await app.inject('/time')).json().hold > 15)
})

test('an answer that an onSend hook has changed is sent unchanged', async (t) => {
  const { app } = await createTimeApp(t, {
    route: { onSend: async (_request, _reply, payload) => `{"wrapped":${String(payload)}}` }
  })
  t.match((await app.inject('/time')).json(), { wrapped: { protocols: ['time.v1'] } })
})

test('an answer whose length an onSend hook has set is sent unchanged', async (t) => {
  let hookMs = NaN
  const { app } = await createTimeApp(t, {
    route: {
      onSend: async (_request, reply, payload) => {
        hookMs = performance.now()
        reply.header('content-length', String(payload).length)
        await new Promise((resolve) => setTimeout(resolve, 15))
        return payload
      }
    }
  })
  const sentMs = performance.now()
  const answer = await app.inject('/time')
  t.equal(answer.body.length, Number(answer.headers['content-length']))
  const { hold }: TimeAnswer = answer.json()
  t.ok(hold <= hookMs - sentMs + 0.02, `${hold} ms, of ${hookMs - sentMs} ms before the hook`)
})

test('a hook that refuses plain HTTP also refuses requests for the time', async (t) => {
  const { statusCode } = await ask(t, `${MEDIA_TYPE};id=1`, {
    preValidation: async (_request, reply) => reply.code(401).send('no')
  })
  t.equal(statusCode, 401)
})

test('stats() counts plain requests that passed every check, and refused ones', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, {
    handler: MAIL,
    preValidation: async ({ headers }, reply) => headers.cookie === undefined ? undefined : reply.code(401).send('no')
  })
  const statuses: number[] = []
  for (const headers of [{}, { accept: MEDIA_TYPE }, { cookie: 'x' }, { origin: 'https://b.org' }]) {
    statuses.push((await app.inject({ url: '/time', headers })).statusCode)
  }
  t.equal((await app.inject({ method: 'HEAD', url: '/time' })).statusCode, 200)
  t.strictSame(statuses, [200, 200, 401, 403])
  t.strictSame(timeSocket.stats().http, { answered: 3, refused: 2 })
})

const pages: [title: string, headers: Record<string, string>, status: number][] = [
  ['that may connect', { 'time-socket-origin': 'https://a.org' }, 200],
  ['that may not connect', { 'time-socket-origin': 'https://b.org' }, 403],
  ['with an empty name', { 'time-socket-origin': '' }, 403],
  ['that may not connect, whatever Origin says', { 'time-socket-origin': 'https://b.org', origin: 'https://a.org' }, 200],
  ['that may connect, with an Origin that may not', { 'time-socket-origin': 'https://a.org', origin: 'https://b.org' }, 403],
  ['with several names', { 'time-socket-origin': 'https://a.org, https://a.org' }, 403]
]

for (const [title, headers, status] of pages) {
  test(`a plain request that names a page ${title} is answered ${status}`, async (t) => {
    const { app } = await createTimeApp(t, { origin: ['https://a.org'] })
    const answer = await app.inject({ url: '/time', headers })
    t.equal(answer.statusCode, status)
    if (headers.origin === undefined) t.notOk('access-control-allow-origin' in answer.headers)
  })
}
