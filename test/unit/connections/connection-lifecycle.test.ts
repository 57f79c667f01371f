import { test } from 'tap'
import type { CloseInfo, TimeSocketClient } from '../../../src/index.js'
import { createTimeApp } from '../../helpers/network/app.js'
import { inject } from '../../helpers/network/peer.js'
import { waitFor } from '../../helpers/network/wait.js'

type Client = TimeSocketClient<object>

/** A promise and what settles it. */
function createGate () {
  let open = (): void => {}
  let fail = (_err: Error): void => {}
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { passed, open, fail }
}

/** What callbacks were called, in order. */
function createRecord () {
  const calls: string[] = []
  return {
    calls,
    called: (name: string, detail: unknown = '') => { calls.push(`${name} ${String(detail)}`.trim()) },
    closed: (_client: Client, { code, reason, cause }: CloseInfo) => {
      calls.push(`onClose ${code} ${cause} ${reason}`.trim())
    }
  }
}

test('lists a client, calls onConnect, and only then sends the immediate tick', async (t) => {
  const { app, timeSocket } = await createTimeApp(t, {
    format: () => 'tick',
    onConnect (client) {
      t.equal(timeSocket.clients.get(client.id), client)
      client.send('hello')
    }
  })
  t.strictSame(await (await inject(app)).received(2), ['hello', 'tick'])
})

test('ticks and broadcasts do not wait for an asynchronous onConnect; messages do', async (t) => {
  const { calls, called } = createRecord()
  const gate = createGate()
  const { app, timeSocket } = await createTimeApp(t, {
    format: () => 'tick',
    async onConnect () {
      await gate.passed
      called('connected')
    },
    onMessage: (_client, data) => called('message', data)
  })
  const peer = await inject(app)
  peer.ws.send('one')
  peer.ws.send('two')
  timeSocket.broadcast('news')
  t.strictSame(await peer.received(2), ['tick', 'news'])
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.strictSame(calls, [])
  gate.open()
  await waitFor(() => calls.length === 3, 'the messages')
  peer.ws.send('three')
  await waitFor(() => calls.length === 4, 'the third message')
  t.strictSame(calls, ['connected', 'message one', 'message two', 'message three'])
})

test('holds 16 messages for onConnect; one more closes with 1008', async (t) => {
  const { calls, called, closed } = createRecord()
  const gate = createGate()
  const { app } = await createTimeApp(t, {
    onConnect: () => gate.passed,
    onMessage: (_client, data) => called('message', data),
    onClose: closed
  })
  const [held, flooding] = [await inject(app), await inject(app)]
  for (let count = 1; count <= 16; count++) held.ws.send(String(count))
  for (let count = 1; count <= 17; count++) flooding.ws.send('x')
  t.strictSame(await flooding.closed, [1008, 'too many messages'])
  t.equal(held.ws.readyState, held.ws.OPEN)
  gate.open()
  await waitFor(() => calls.length === 17, 'the messages')
  t.strictSame(calls.filter((call) => call !== 'onClose 1008 rate too many messages'),
    Array.from({ length: 16 }, (_, index) => `message ${index + 1}`))
})

test('once onConnect has settled, calls onMessage for earlier messages, then onClose', async (t) => {
  const { calls, called, closed } = createRecord()
  const gate = createGate()
  const { app, timeSocket } = await createTimeApp(t, {
    onConnect: () => gate.passed,
    onMessage: (_client, data) => called('message', data),
    onClose: closed
  })
  const peer = await inject(app)
  peer.ws.send('last words')
  peer.ws.close(1000, 'bye')
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  t.strictSame(calls, [])
  gate.open()
  await waitFor(() => calls.length === 2, 'the callbacks')
  t.strictSame(calls, ['message last words', 'onClose 1000 client bye'])
})

const failures: [title: string, fail: () => unknown][] = [
  ['throws', () => { throw new Error('no database') }],
  ['rejects', () => Promise.reject(new Error('no database'))],
  ['rejects later', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    throw new Error('no database')
  }],
  ['returns a thenable that throws', () => ({ then () { throw new Error('no database') } })]
]

for (const [title, fail] of failures) {
  test(`an onConnect that ${title} closes that client with 1011 and no other`, async (t) => {
    const { calls, closed } = createRecord()
    let isFailing = false
    const { app, log, timeSocket } = await createTimeApp(t, {
      interval: 50,
      onConnect: () => isFailing ? fail() : undefined,
      onClose: closed
    })
    const good = await inject(app)
    isFailing = true
    const bad = await inject(app)
    t.strictSame(await bad.closed, [1011, 'internal error'])
    await waitFor(() => calls.length === 1, 'onClose')
    t.strictSame(calls, ['onClose 1011 callback internal error'])
    t.equal(timeSocket.clients.size, 1)
    await good.received(good.messages.length + 2)
    t.strictSame(log.messages('error'), ['onConnect failed'])
  })

  test(`an onMessage that ${title} closes that client with 1011 and no other`, async (t) => {
    const { calls, closed } = createRecord()
    const { app, log, timeSocket } = await createTimeApp(t, {
      interval: 50,
      onMessage: (_client, data) => data === 'bad' ? fail() : undefined,
      onClose: closed
    })
    const [good, bad] = [await inject(app), await inject(app)]
    bad.ws.send('bad')
    t.strictSame(await bad.closed, [1011, 'internal error'])
    await waitFor(() => calls.length === 1, 'onClose')
    t.strictSame(calls, ['onClose 1011 callback internal error'])
    t.equal(timeSocket.clients.size, 1)
    await good.received(good.messages.length + 2)
    t.strictSame(log.messages('error'), ['onMessage failed'])
  })

  test(`an onClose that ${title} has no effect on other clients, and is logged`, async (t) => {
    const { app, log, timeSocket } = await createTimeApp(t, { interval: 50, onClose: fail })
    const [good, leaving] = [await inject(app), await inject(app)]
    leaving.ws.close()
    await waitFor(() => log.messages('error').length === 1, 'the line')
    t.strictSame(log.messages('error'), ['onClose failed'])
    t.equal(timeSocket.clients.size, 1)
    await good.received(good.messages.length + 2)
  })

  test(`an onTick that ${title} has no effect on clients, and is logged once`, async (t) => {
    const { app, log } = await createTimeApp(t, { interval: 20, onTick: fail })
    const peer = await inject(app)
    await peer.received(8)
    t.strictSame(log.messages('error'), ['onTick failed'])
  })
}

test('does not call onMessage any more once a callback has failed', async (t) => {
  const { calls, called } = createRecord()
  const gate = createGate()
  const { app } = await createTimeApp(t, {
    onConnect: () => gate.passed,
    onMessage (_client, data) {
      called('message', data)
      throw new Error('no database')
    }
  })
  const peer = await inject(app)
  for (const data of ['one', 'two', 'three']) peer.ws.send(data)
  await new Promise((resolve) => setTimeout(resolve, 10))
  gate.open()
  t.strictSame(await peer.closed, [1011, 'internal error'])
  t.strictSame(calls, ['message one'])
})

test('drops messages that were held for an onConnect that fails', async (t) => {
  const { calls, called } = createRecord()
  const gate = createGate()
  const { app } = await createTimeApp(t, {
    onConnect: () => gate.passed, onMessage: (_client, data) => called('message', data)
  })
  const peer = await inject(app)
  peer.ws.send('one')
  await new Promise((resolve) => setTimeout(resolve, 10))
  gate.fail(new Error('no database'))
  t.strictSame(await peer.closed, [1011, 'internal error'])
  t.strictSame(calls, [])
})

test('an onConnect that never settles does not keep its client listed', async (t) => {
  const { calls, closed } = createRecord()
  const { app, timeSocket } = await createTimeApp(t, {
    onConnect: () => new Promise(() => {}), onClose: closed
  })
  const peer = await inject(app)
  peer.ws.close()
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  t.strictSame(calls, [], 'onClose waits for it')
})

test('does not call onMessage after the application has closed the client', async (t) => {
  const { calls, called, closed } = createRecord()
  const { app } = await createTimeApp(t, {
    onConnect: (client) => client.close(4001, 'go'),
    onMessage: (_client, data) => called('message', data),
    onClose: closed
  })
  const peer = await inject(app)
  peer.ws.send('too late')
  t.strictSame(await peer.closed, [4001, 'go'])
  await waitFor(() => calls.length > 0, 'onClose')
  t.strictSame([calls, peer.messages], [['onClose 4001 application go'], []])
})

test('logs connects and disconnects at info, and no messages', async (t) => {
  const { app, log, timeSocket } = await createTimeApp(t, {
    onMessage: (client) => client.send('reply-secret')
  })
  const peer = await inject(app, '/time?token=query-secret', {
    headers: { authorization: 'header-secret', cookie: 'cookie-secret' },
    socket: { remoteAddress: '192.0.2.7', remotePort: 4711 }
  })
  const [client] = timeSocket.clients.values()
  peer.ws.send('message-secret')
  await peer.received(2)
  peer.ws.close(1000, 'bye')
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  const ours = log.lines.filter((line) => line.timeSocket !== undefined)
  t.strictSame(ours.map(({ level, time, pid, hostname, duration, ...fields }) => [level, fields]), [
    [30, {
      timeSocket: '/time', id: client?.id, ip: '192.0.2.7', port: 4711, clients: 1, msg: 'client connected'
    }],
    [30, {
      timeSocket: '/time', id: client?.id, code: 1000, reason: 'bye', cause: 'client', clients: 0, msg: 'client closed'
    }]
  ])
  t.ok(ours.every(({ duration = 0 }) => Number.isInteger(duration)))
  t.notMatch(JSON.stringify(ours), 'secret')
})

test('logLevel and logSerializers apply to its own lines', async (t) => {
  const { app, log } = await createTimeApp(t, {
    logLevel: 'warn',
    onTick () { throw new Error('the detail') },
    interval: 20,
    logSerializers: { err: () => 'serialized' }
  })
  await (await inject(app)).received(3)
  const ours = log.lines.filter((line) => line.timeSocket !== undefined)
  t.strictSame(ours.map(({ msg, err }) => [msg, err]), [['onTick failed', 'serialized']])
})

test('after a failed onMessage, held messages are dropped, even if the client has left', async (t) => {
  const { calls, called, closed } = createRecord()
  const gate = createGate()
  const { app, timeSocket } = await createTimeApp(t, {
    onConnect: () => gate.passed,
    onMessage (_client, data) {
      called('message', data)
      throw new Error('no database')
    },
    onClose: closed
  })
  const peer = await inject(app)
  for (const data of ['one', 'two']) peer.ws.send(data)
  peer.ws.close(1000)
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  gate.open()
  await waitFor(() => calls.length === 2, 'the callbacks')
  t.strictSame(calls, ['message one', 'onClose 1000 client'])
})

test('after a failed onConnect, held messages are dropped, even if the client has left', async (t) => {
  const { calls, called, closed } = createRecord()
  const gate = createGate()
  const { app, timeSocket } = await createTimeApp(t, {
    onConnect: () => gate.passed, onMessage: (_client, data) => called('message', data), onClose: closed
  })
  const peer = await inject(app)
  peer.ws.send('one')
  peer.ws.close(1000)
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  gate.fail(new Error('no database'))
  await waitFor(() => calls.length === 1, 'onClose')
  t.strictSame(calls, ['onClose 1000 client'])
})
