import cookie from '@fastify/cookie'
import websocket from '@fastify/websocket'
import { test } from 'tap'
import timeSocket from '../../../src/index.js'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createApp, createTimeApp, listen } from '../../helpers/network/app.js'
import { inject } from '../../helpers/network/peer.js'
import { openRaw, upgradeRequest } from '../../helpers/network/raw.js'
import { waitFor } from '../../helpers/network/wait.js'

/** What every 101 has. */
const HANDSHAKE = [
  'HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='
]

/** The lines of the answer's head. */
async function headOf (port: number, path: string = '/time'): Promise<string[]> {
  const peer = openRaw(port, upgradeRequest(path))
  await waitFor(() => peer.text.includes('\r\n\r\n'), 'the head')
  peer.socket.destroy()
  return peer.text.split('\r\n\r\n')[0]?.split('\r\n') ?? []
}

const COOKIES = ['seen=yes; Path=/; HttpOnly', 'theme=dark']

const preValidation: TimeSocketOptions['preValidation'] = async (_request, reply) => {
  reply.header('set-cookie', COOKIES)
  reply.raw.setHeader('X-Attempt', 7)
}
const COOKIE_LINES = ['x-attempt: 7', ...COOKIES.map((line) => `set-cookie: ${line}`)]

for (const registration of ['the plugin', 'the host'] as const) {
  test(`headers that a hook sets arrive with the 101, where ${registration} registers @fastify/websocket`, async (t) => {
    const { app } = createApp(t)
    if (registration === 'the host') await app.register(websocket)
    await app.register(timeSocket, { preValidation })
    await app.register(timeSocket, { url: '/bare', namespace: 'bare' })
    app.get('/host', { websocket: true, preValidation }, () => {})
    const port = await listen(app)
    t.strictSame(await headOf(port), [...HANDSHAKE, ...COOKIE_LINES])
    t.strictSame(await headOf(port, '/bare'), HANDSHAKE)
    t.strictSame(await headOf(port, '/host'), HANDSHAKE, 'as without this plugin')
    app.websocketServer.close()
  })
}

test('headers of a body, of the connection and of the handshake do not', async (t) => {
  const { app } = await createTimeApp(t, {
    preValidation: (_request, reply, done) => {
      reply.headers({
        'content-length': 5,
        'content-type': 'text/plain',
        'content-encoding': 'gzip',
        'transfer-encoding': 'chunked',
        connection: 'close',
        'keep-alive': 'timeout=5',
        upgrade: 'h2c',
        'sec-websocket-accept': 'x',
        'sec-websocket-extensions': 'permessage-deflate',
        'X-Kept': 'yes'
      })
      done()
    }
  })
  t.strictSame(await headOf(await listen(app)), [...HANDSHAKE, 'x-kept: yes'])
})

for (const [title, name, value] of [
  ['value', 'x-user', 'a\r\nSet-Cookie: admin=1'], ['name', 'x user', 'a']
] as const) {
  test(`a header whose ${title} would split the answer refuses the upgrade with 500`, async (t) => {
    const { app, log } = await createTimeApp(t, {
      preValidation: async (_request, reply) => { reply.header('x-kept', 'yes').header(name, value) }
    })
    const port = await listen(app)
    for (let count = 0; count < 3; count++) {
      const text = await openRaw(port, upgradeRequest('/time')).ended
      t.match(text, /^HTTP\/1\.1 500 Internal Server Error\r\n/)
      t.match(text, /"message":"Internal Server Error"}$/)
      t.match(text, /\r\nx-kept: yes\r\n/, 'only the invalid header is removed')
      t.notMatch(text, /set-cookie/i)
    }
    t.strictSame(log.messages('error'), ['a hook or callback of the route failed'])
  })
}

test('a cookie serialized by @fastify/cookie arrives with the 101', async (t) => {
  const { app } = createApp(t)
  await app.register(cookie)
  await app.register(timeSocket, {
    preValidation: async (_request, reply) => {
      reply.header('set-cookie', app.serializeCookie('seen', 'yes', { httpOnly: true }))
    }
  })
  t.strictSame(await headOf(await listen(app)), [...HANDSHAKE, 'set-cookie: seen=yes; HttpOnly'])
})

test('a client of injectWS connects where a hook sets headers', async (t) => {
  const { app } = await createTimeApp(t, { preValidation })
  const { received } = await inject(app)
  t.equal((await received(1)).length, 1)
})
