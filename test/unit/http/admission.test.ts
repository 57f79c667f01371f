import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { readExpiry } from '../../../src/http/admission.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { connect, refused } from '../../helpers/network/peer.js'
import { openRaw, upgradeRequest } from '../../helpers/network/raw.js'

type Test = Parameters<typeof createTimeApp>[0]

async function setUp (t: Test, options: TimeSocketOptions) {
  const seen: unknown[] = []
  const see = (headers: object) => seen.push((headers as { 'sec-websocket-protocol'?: string })['sec-websocket-protocol'])
  const { app, log, timeSocket } = await createTimeApp(t, {
    shutdown: { grace: 50 },
    preValidation: async ({ headers }) => { see(headers) },
    route: { preHandler: async ({ raw }) => { see(raw.headers) } },
    context: ({ headers }) => {
      see(headers)
      return {}
    },
    ...options
  })
  const port = await listen(app)
  return { port, url: `ws://127.0.0.1:${port}/time`, log, timeSocket, seen }
}

const agreed: [title: string, known: string[], offered: string[], chosen: string][] = [
  ['the only one', ['chat'], ['chat'], 'chat'],
  ['the first known one in the client\'s order', ['a', 'b'], ['x', 'b', 'a'], 'b'],
  ['the known one after a secret', ['chat'], ['secret-ticket', 'chat'], 'chat'],
  ['one with every character of a token', ['!#$%&\'*+-.^_`|~09azAZ'], ['!#$%&\'*+-.^_`|~09azAZ'], '!#$%&\'*+-.^_`|~09azAZ'],
  ['time.v1, which is built in', [], ['time.v1'], 'time.v1'],
  ['time.v1 after others that are unknown', ['chat'], ['time.v2', 'time.v1', 'chat'], 'time.v1'],
  ['another one before time.v1', ['chat'], ['chat', 'time.v1'], 'chat'],
  ['none, if none is offered', ['chat'], [], '']
]

for (const [title, protocols, offered, chosen] of agreed) {
  test(`agrees on ${title}, and shows the hooks and the context what was offered`, async (t) => {
    const { url, timeSocket, seen } = await setUp(t, { protocols })
    const peer = await connect(url, { protocols: offered })
    t.equal(peer.ws.protocol, chosen)
    t.strictSame([...timeSocket.clients.values()].map(({ protocol }) => protocol), [chosen])
    t.strictSame(seen, Array(3).fill(offered.length === 0 ? undefined : offered.join(',')))
  })
}

const lines: [title: string, header: string[], answer: RegExp][] = [
  ['in several headers', ['Sec-WebSocket-Protocol: x', 'Sec-WebSocket-Protocol: b, a'], /\r\nSec-WebSocket-Protocol: b\r\n/],
  ['with blanks around', ['Sec-WebSocket-Protocol:  x ,\tb\t,a'], /\r\nSec-WebSocket-Protocol: b\r\n/],
  ['with an invalid one', ['Sec-WebSocket-Protocol: (x), , a'], /\r\nSec-WebSocket-Protocol: a\r\n/],
  ['twice', ['Sec-WebSocket-Protocol: a, a'], /\r\nSec-WebSocket-Protocol: a\r\n/],
  ['in capitals, which do not match', ['Sec-WebSocket-Protocol: A, B'], /^HTTP\/1\.1 400 /],
  ['as an empty list', ['Sec-WebSocket-Protocol: '], /^HTTP\/1\.1 400 /],
  ['as a list of nothing', ['Sec-WebSocket-Protocol: ,,'], /^HTTP\/1\.1 400 /]
]

for (const [title, headers, answer] of lines) {
  test(`on a real port, reads subprotocols offered ${title}`, async (t) => {
    const { port } = await setUp(t, { protocols: ['a', 'b'] })
    const peer = openRaw(port, upgradeRequest('/time', { headers }))
    await peer.answered
    t.match(peer.text, answer)
    t.equal(peer.text.match(/Sec-WebSocket-Protocol/ig)?.length ?? 0, peer.text.includes(' 101 ') ? 1 : 0)
  })
}

for (const [known, offered, list] of [
  [[], ['Time.v1'], 'time.v1'],
  [[], ['secret-ticket', 'chat'], 'time.v1'],
  [['chat', 'chat.v2'], ['secret-ticket', 'Chat'], 'time.v1, chat, chat.v2']
] as const) {
  test(`refuses ${offered.join(', ')} if only ${list} is supported, and echoes no offer`, async (t) => {
    const { url, seen, log } = await setUp(t, { protocols: known })
    const { status, headers, body } = await refused(url, [...offered])
    t.strictSame([status, headers.connection, JSON.parse(body)], [400, 'close', {
      statusCode: 400,
      code: 'FST_TIME_SOCKET_UNSUPPORTED_PROTOCOL',
      error: 'Bad Request',
      message: `none of the offered subprotocols is supported (supported: ${list})`
    }])
    t.strictSame(seen, Array(3).fill(offered.join(',')))
    t.notMatch(JSON.stringify([headers, body, log.lines]), offered[0])
  })
}

test('agrees on a subprotocol even if the application has its own handleProtocols', async (t) => {
  const { app } = createApp(t)
  const asked: string[][] = []
  await app.register(websocket, {
    options: {
      handleProtocols (protocols) {
        asked.push([...protocols])
        return [...protocols][0] ?? false
      }
    }
  })
  await app.register(timeSocket, { protocols: ['chat'] })
  const peer = await connect(`ws://127.0.0.1:${await listen(app)}/time`, { protocols: ['secret-ticket', 'chat'] })
  t.strictSame([peer.ws.protocol, asked], ['chat', [['chat']]])
})

test('plain HTTP ignores offered subprotocols, and lists the built-in ones', async (t) => {
  const { app } = await createTimeApp(t, { protocols: ['chat'] })
  const headers = { 'sec-websocket-protocol': 'other' }
  const answer = await app.inject({ url: '/time', headers })
  t.strictSame([answer.statusCode, answer.json().protocols], [200, ['time.v1']])
})

const NOW_MS = 1_795_262_400_000

test('gives the end of a permission on both clocks', async (t) => {
  t.equal(readExpiry(undefined, NOW_MS, 1000), undefined)
  for (const aheadMs of [1500, -1, 50 * 86_400_000]) {
    const expected = { at: NOW_MS + aheadMs, dueMs: 1000 + aheadMs }
    t.strictSame(readExpiry(NOW_MS + aheadMs, NOW_MS, 1000), expected)
    t.strictSame(readExpiry(new Date(NOW_MS + aheadMs), NOW_MS, 1000), expected)
  }
})

for (const [title, value, shown] of [
  ['the exp of a JWT', NOW_MS / 1000, '1795262400'],
  ['zero', 0, '0'],
  ['NaN', NaN, 'NaN'],
  ['Infinity', Infinity, 'Infinity'],
  ['a time after the last Date', 8.64e15 + 1, '8640000000000001'],
  ['an invalid Date', new Date(NaN), 'Invalid Date'],
  ['a string', '2027-01-01', "'2027-01-01'"],
  ['null', null, 'null']
] as const) {
  test(`refuses ${title}, and explains the likely mistake`, async (t) => {
    t.throws(() => readExpiry(value, NOW_MS, 0), {
      message: 'expiresAt must return a Date, milliseconds since the Unix epoch or undefined, ' +
        `got ${shown} (the exp of a JWT is in seconds: return exp * 1000)`
    })
  })
}
