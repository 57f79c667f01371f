import { test } from 'tap'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { allGone } from '../../helpers/network/churn.js'
import { openRaw, request, textFrame, upgradeRequest } from '../../helpers/network/raw.js'
import { waitFor } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]
type Hook = TimeSocketOptions['preValidation']

/** A time socket on a real port, and what its callbacks were told. */
async function setUp (t: Test, options: TimeSocketOptions) {
  const told: string[] = []
  const { app, timeSocket } = await createTimeApp(t, {
    immediate: false,
    handshakeTimeout: 200,
    shutdown: { grace: 50 },
    onConnect: () => { told.push('connected') },
    onMessage: (_client, data) => { told.push(String(data)) },
    onClose: () => { told.push('closed') },
    ...options
  })
  return { app, timeSocket, told, port: await listen(app) }
}

/** A hook that says when it is asked, and goes on when it is let. */
function createGate () {
  let asked = 0
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => { open = resolve })
  async function hook (): Promise<void> {
    asked++
    await opened
  }
  return { hook, open: () => open(), entered: () => waitFor(() => asked > 0, 'the hook') }
}

/** Has the server answer something else: what it had to do before is done then. */
async function roundTrip (port: number): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}/nowhere`)).text()
}

class Refused extends Error {
  constructor (readonly statusCode: number) {
    super('no ticket')
  }
}

const rejectWith = (reason: unknown) => async () => { throw reason }

const hooks: [title: string, hook: Hook, upgrade: number, get: number][] = [
  ['resolves with nothing', async () => {}, 101, 200],
  ['resolves with a value', (async () => false) as never, 101, 200],
  ['calls back', (_request, _reply, done) => done(), 101, 200],
  ['answers 401', async (_request, reply) => reply.code(401).send(), 401, 401],
  ['answers 403 without waiting', (_request, reply) => { reply.code(403).send() }, 403, 403],
  ['answers later', async (_request, reply) => {
    await new Promise((resolve) => setImmediate(resolve))
    return reply.code(401).send()
  }, 401, 401],
  ['redirects', async (_request, reply) => reply.redirect('/login'), 302, 302],
  ['throws 401', async () => { throw new Refused(401) }, 401, 401],
  ['throws 403 at once', () => { throw new Refused(403) }, 403, 403],
  ['calls back with 429', (_request, _reply, done) => done(new Refused(429)), 429, 429],
  ['throws', async () => { throw new Error('hunter2') }, 500, 500],
  ['throws at once', () => { throw new TypeError('hunter2') }, 500, 500],
  ['rejects with text', rejectWith('hunter2'), 500, 500],
  ['rejects with nothing', rejectWith(undefined), 500, 500],
  ['never settles', () => new Promise(() => {}), 503, 503],
  ['never calls back', (_request, _reply, _done) => {}, 503, 503]
]

for (const [title, preValidation, upgrade, get] of hooks) {
  test(`on a real port, after a hook that ${title}, an upgrade gets ${upgrade}, and a GET ${get}`, async (t) => {
    const { port, told } = await setUp(t, { preValidation })
    const early = Buffer.concat([Buffer.from(upgradeRequest('/time')), textFrame('early')])
    const peer = openRaw(port, early)
    await peer.answered
    t.match(peer.text, new RegExp(`^HTTP/1\\.1 ${upgrade} `))
    const answer = await fetch(`http://127.0.0.1:${port}/time`, { redirect: 'manual' })
    t.equal(answer.status, get)
    t.notMatch(peer.text + await answer.text(), /hunter2|at .*\.ts/)
    if (upgrade === 101) {
      await waitFor(() => told.length === 2, 'the early message')
      t.strictSame(told, ['connected', 'early'])
    } else {
      await peer.ended
      t.strictSame(told, [])
      t.notMatch(peer.text, ' 101 ')
    }
  })
}

test('nothing is sent before a hook has decided, not even the 101', async (t) => {
  const gate = createGate()
  const { port, timeSocket, told } = await setUp(t, {
    preValidation: gate.hook, immediate: true, interval: 10, handshakeTimeout: 10_000
  })
  const peer = openRaw(port, upgradeRequest('/time'))
  await gate.entered()
  await roundTrip(port)
  t.strictSame([peer.text, timeSocket.clients.size, timeSocket.broadcast('news'), told], ['', 0, 0, []])
  gate.open()
  await peer.answered
  t.match(peer.text, /^HTTP\/1\.1 101 /)
})

test('messages sent before the 101 arrive after it, in order, none before the hook has decided', async (t) => {
  const gate = createGate()
  const { port, told } = await setUp(t, { preValidation: gate.hook, handshakeTimeout: 10_000 })
  // In one segment with the request, and in one of their own.
  const peer = openRaw(port, Buffer.concat([
    Buffer.from(upgradeRequest('/time')), textFrame('one'), textFrame('two')
  ]))
  await gate.entered()
  const late = textFrame('four')
  await new Promise((resolve) => {
    peer.socket.write(Buffer.concat([textFrame('three'), late.subarray(0, 3)]), resolve)
  })
  t.strictSame([peer.text, told], ['', []])
  gate.open()
  await peer.answered
  peer.socket.write(Buffer.concat([late.subarray(3), textFrame('five')]))
  await waitFor(() => told.length === 6, 'five messages')
  t.strictSame(told, ['connected', 'one', 'two', 'three', 'four', 'five'])
})

test('a client that resets while a hook is pending calls neither onConnect nor onClose', async (t) => {
  const gate = createGate()
  const { app, port, told } = await setUp(t, { preValidation: gate.hook, handshakeTimeout: 10_000 })
  const peer = openRaw(port, Buffer.concat([Buffer.from(upgradeRequest('/time')), textFrame('early')]))
  await gate.entered()
  peer.socket.resetAndDestroy()
  await allGone(app)
  gate.open()
  await roundTrip(port)
  t.strictSame(told, [])
})

test('a client that ends its side while a hook is pending calls onConnect and onClose', async (t) => {
  const gate = createGate()
  const { app, port, told } = await setUp(t, { preValidation: gate.hook, handshakeTimeout: 10_000 })
  const peer = openRaw(port, Buffer.concat([Buffer.from(upgradeRequest('/time')), textFrame('early')]))
  await gate.entered()
  peer.socket.end()
  gate.open()
  t.match(await peer.ended, /^HTTP\/1\.1 101 /)
  await allGone(app)
  t.strictSame(told, ['connected', 'early', 'closed'])
})

for (const [title, leave] of [
  ['resets', (socket: { resetAndDestroy (): unknown }) => socket.resetAndDestroy()],
  ['ends its side', (socket: { end (): unknown }) => socket.end()]
] as const) {
  test(`a client that ${title} while a hook hangs leaves no connection`, async (t) => {
    const gate = createGate()
    const { app, port, told } = await setUp(t, { preValidation: gate.hook })
    for (const bytes of [upgradeRequest('/time'), request('/time')]) {
      const { socket } = openRaw(port, bytes)
      await gate.entered()
      leave(socket)
      await allGone(app)
    }
    t.strictSame(told, [])
  })
}
