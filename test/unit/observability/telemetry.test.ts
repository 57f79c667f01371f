import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'tap'
import type { CloseCause, Tick, TimeSocket, TimeSocketClient, TimeSocketOptions } from '../../../src/index.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'
import { openRaw, upgradeRequest } from '../../helpers/network/raw.js'
import { waitFor } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]

const NAMES = ['connect', 'close', 'tick', 'broadcast', 'refuse']

async function setUp (t: Test, options: TimeSocketOptions = {}) {
  const { app, timeSocket } = await createTimeApp(t, {
    immediate: false, shutdown: { grace: 50 }, ...options
  })
  const port = await listen(app)
  return { app, timeSocket, port, open: () => connect(`ws://127.0.0.1:${port}/time`) }
}

/** Counts of which not all are zero. */
function nonZero (counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}

test('stats() starts with zeros, and returns a new object each time', async (t) => {
  const { timeSocket } = await createTimeApp(t)
  const stats = timeSocket.stats()
  t.strictSame(stats, {
    clients: 0,
    accepted: 0,
    refused: {
      origin: 0,
      capacity: 0,
      capacityPerIp: 0,
      hook: 0,
      expired: 0,
      protocol: 0,
      timeout: 0,
      closing: 0,
      aborted: 0
    },
    http: { answered: 0, refused: 0 },
    closed: {
      client: 0,
      application: 0,
      shutdown: 0,
      slow: 0,
      heartbeat: 0,
      expired: 0,
      rate: 0,
      size: 0,
      protocol: 0,
      callback: 0,
      network: 0
    },
    ticks: { sent: 0, missed: 0, failed: 0 },
    frames: { sent: 0, skipped: 0 },
    bytes: { sent: 0 },
    messages: { received: 0, ignored: 0 },
    lateness: { p50: 0, p99: 0, max: 0 },
    clockSteps: 0
  })
  stats.closed.client = 7
  t.equal(timeSocket.stats().closed.client, 0)
})

interface Ending {
  cause: CloseCause
  options?: TimeSocketOptions
  end: (ends: { peer: Peer, client: TimeSocketClient, timeSocket: TimeSocket }) => unknown
}

const endings: Ending[] = [
  { cause: 'client', end: ({ peer }) => peer.ws.close(4000) },
  { cause: 'application', end: ({ client }) => client.close(4000) },
  { cause: 'application', end: ({ client }) => client.terminate() },
  { cause: 'shutdown', end: ({ timeSocket }) => { timeSocket.close() } },
  {
    cause: 'slow',
    options: { maxBufferedBytes: 0 },
    async end ({ peer, client }) {
      peer.ws.pause()
      const megabyte = Buffer.alloc(1_000_000)
      while (client.send(megabyte)) await new Promise((resolve) => setImmediate(resolve))
      peer.ws.terminate()
    }
  },
  {
    cause: 'heartbeat',
    options: { heartbeat: { interval: 40, timeout: 40 } },
    end: ({ peer }) => peer.ws.pause()
  },
  { cause: 'expired', end: ({ client }) => { client.expiresAt = Date.now() } },
  {
    cause: 'rate',
    options: { messageRate: { burst: 1, perSecond: 0.001 } },
    end: ({ peer }) => ['1', '2', '3'].map((text) => peer.ws.send(text))
  },
  {
    cause: 'size',
    options: { maxMessageBytes: 1 },
    end: ({ peer }) => ['22', '33'].map((text) => peer.ws.send(text))
  },
  {
    cause: 'size',
    options: { maxMessageBytes: 100, websocket: { options: { maxPayload: 100 } } },
    end: ({ peer }) => peer.ws.send(Buffer.alloc(101))
  },
  {
    cause: 'protocol',
    end ({ peer }) {
      const { _socket: socket } = peer.ws as unknown as { _socket: NodeJS.WritableStream }
      socket.write(Buffer.from('ffffffff', 'hex'))
    }
  },
  {
    cause: 'callback',
    options: { onMessage: () => { throw new Error('no database') } },
    end: ({ peer }) => ['1', '2'].map((text) => peer.ws.send(text))
  },
  { cause: 'network', end: ({ peer }) => peer.ws.terminate() }
]

for (const [index, { cause, options = {}, end }] of endings.entries()) {
  test(`on a real port, a connection that ends with cause ${cause} counts once (${index})`, async (t) => {
    let told = 0
    const { timeSocket, open } = await setUp(t, { ...options, onClose: () => { told++ } })
    const peer = await open()
    const [client] = timeSocket.clients.values()
    await end({ peer, client: client as TimeSocketClient, timeSocket })
    if (cause !== 'heartbeat') await peer.closed
    await waitFor(() => told > 0, 'onClose')
    peer.ws.resume()
    await peer.closed
    const { clients, accepted, closed, refused } = timeSocket.stats()
    t.strictSame([clients, accepted, nonZero(closed), nonZero(refused)], [0, 1, { [cause]: 1 }, {}])
    t.equal(told, 1)
  })
}

test('on a real port, the counted frames and bytes are those that clients receive', async (t) => {
  const ticks: Tick[] = []
  const { timeSocket, port, open } = await setUp(t, {
    interval: 20,
    immediate: true,
    messageRate: { burst: 3, perSecond: 0.001 },
    onTick: (tick) => { ticks.push(tick) },
    onMessage: (client) => client.send('y'.repeat(70_000))
  })
  const raw = openRaw(port, upgradeRequest('/time'))
  const peer = await open()
  for (let count = 0; count < 3; count++) peer.ws.send('x'.repeat(200))
  timeSocket.broadcast('x'.repeat(200))
  await waitFor(() => ticks.length >= 10, 'ten ticks')
  timeSocket.close()
  await Promise.all([peer.closed, raw.ended])

  const { frames, bytes, messages, ticks: counts } = timeSocket.stats()
  const rawFrames = raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4)
  const closeFrame = rawFrames.indexOf('\x88')
  const sentBytes = (length: number) => length + (length < 126 ? 2 : length < 65_536 ? 4 : 10)
  const peerBytes = peer.messages.reduce((sum, message) => sum + sentBytes(message.length), 0)
  t.equal(bytes.sent, peerBytes + closeFrame)
  // All messages are text, and ASCII.
  const rawCount = rawFrames.split('\x81').length - 1
  t.equal(frames.sent, peer.messages.length + rawCount)
  t.equal(frames.skipped, 0)
  t.strictSame(messages, { received: 3, ignored: 0 })
  t.strictSame([counts.sent, counts.failed], [ticks.length, 0])
})

test('messages beyond the limits are not counted as received', async (t) => {
  const { timeSocket, open } = await setUp(t, {
    messageRate: { burst: 2, perSecond: 0.001 }, maxMessageBytes: 10
  })
  const [fast, large] = [await open(), await open()]
  for (const text of ['1', '2', '3', '4']) fast.ws.send(text)
  large.ws.send('x'.repeat(11))
  await Promise.all([fast.closed, large.closed])
  t.strictSame(timeSocket.stats().messages, { received: 2, ignored: 0 })
})

test('on a real port, sent and missed ticks add up to all boundaries that passed', async (t) => {
  const interval = 20
  const ticks: Tick[] = []
  let missedBefore: number | undefined
  const { timeSocket, open } = await setUp(t, {
    interval,
    onTick (tick) {
      ticks.push(tick)
      missedBefore ??= timeSocket.stats().ticks.missed
    }
  })
  await open()
  await waitFor(() => ticks.length >= 3, 'three ticks')
  const endMs = performance.now() + 10 * interval
  while (performance.now() < endMs);
  const count = ticks.length
  await waitFor(() => ticks.length > count, 'a tick')
  const { sent, missed } = timeSocket.stats().ticks
  const passed = (Number(ticks.at(-1)?.at) - Number(ticks[0]?.at)) / interval + 1
  t.equal(sent, ticks.length)
  t.equal(sent + missed - Number(missedBefore), passed)
  t.ok(missed >= 8, `${missed} missed`)
  const { lateness } = timeSocket.stats()
  t.ok(lateness.p50 <= lateness.p99 && lateness.p99 <= lateness.max, JSON.stringify(lateness))
  const latest = Math.max(...ticks.map(({ sent, at }) => sent - at))
  t.ok(Math.abs(lateness.max - latest) <= 0.02 * latest + 0.01, `${lateness.max} and ${latest} ms`)
})

test('ticks whose format failed are counted, and so are ticks that slow clients skip', async (t) => {
  let isFailing = true
  const { timeSocket, port } = await setUp(t, {
    interval: 10,
    format () {
      if (isFailing) throw new Error('no format')
      return 'x'.repeat(1_000_000)
    }
  })
  const peer = openRaw(port, upgradeRequest('/time'))
  await waitFor(() => timeSocket.stats().ticks.failed >= 3, 'three failures')
  const { ticks, frames } = timeSocket.stats()
  t.strictSame([ticks.failed, frames], [ticks.sent, { sent: 0, skipped: 0 }])
  peer.socket.pause()
  isFailing = false
  const [client] = timeSocket.clients.values()
  await waitFor(() => Number(client?.skippedTicks) >= 3, 'three skipped')
  const after = timeSocket.stats()
  t.equal(after.frames.skipped, client?.skippedTicks)
  t.equal(after.frames.sent + after.frames.skipped + after.ticks.failed, after.ticks.sent)
  peer.socket.destroy()
})

test('clockSteps is that of the ticks', async (t) => {
  let stepMs = 0
  const clock = { now: () => Date.now() + stepMs }
  const { timeSocket, open } = await setUp(t, { interval: 20, clock })
  await open()
  for (const step of [-60_000, 60_000]) {
    stepMs = step
    const { clockSteps } = timeSocket.stats()
    await waitFor(() => timeSocket.stats().clockSteps === clockSteps + 1, 'the step')
  }
  await waitFor(() => timeSocket.lastTick?.clockSteps === 2, 'a tick after both steps')
  t.equal(timeSocket.stats().clockSteps, 2)
})

test('publishes each event on its channel, with the time socket', async (t) => {
  const told: [name: string, fields: unknown][] = []
  for (const name of NAMES) {
    const tell = (fields: unknown) => { told.push([name, fields]) }
    subscribe(`fastify-time-socket:${name}`, tell)
    t.teardown(() => unsubscribe(`fastify-time-socket:${name}`, tell))
  }
  const ticks: Tick[] = []
  const onTick = (tick: Tick) => { ticks.push(tick) }
  const { timeSocket, port, open } = await setUp(t, { interval: 50, onTick })
  const peer = await open()
  const [client] = timeSocket.clients.values()
  await waitFor(() => told.some(([name]) => name === 'tick'), 'a tick')
  timeSocket.broadcast('news')
  const upgrade = upgradeRequest('/time', { headers: ['Origin: https://example.org'] })
  await openRaw(port, upgrade).ended
  peer.ws.close(4000)
  await waitFor(() => timeSocket.clients.size === 0, 'leaving')
  const isFirst = ([name]: [string, unknown], index: number) =>
    told.findIndex(([other]) => other === name) === index
  t.strictSame(told.filter(isFirst), [
    ['connect', { timeSocket, client }],
    ['tick', { timeSocket, tick: ticks[0], count: 1 }],
    ['broadcast', { timeSocket, count: 1 }],
    ['refuse', { timeSocket, cause: 'origin', code: 'FST_TIME_SOCKET_ORIGIN_FORBIDDEN' }],
    ['close', { timeSocket, client, cause: 'client', code: 4000 }]
  ])
  const { accepted, ticks: { sent } } = timeSocket.stats()
  t.equal(told.filter(([name]) => name === 'connect').length, accepted)
  t.equal(told.filter(([name]) => name === 'tick').length, sent)
})

test('publishes nothing while a channel has no subscribers', async (t) => {
  let published = 0
  for (const name of NAMES) {
    const found = channel(`fastify-time-socket:${name}`)
    Object.defineProperty(found, 'publish', { value: () => { published++ }, configurable: true })
    t.teardown(() => Reflect.deleteProperty(found, 'publish'))
  }
  const { timeSocket, port, open } = await setUp(t, { interval: 20 })
  const peer = await open()
  timeSocket.broadcast('news')
  await openRaw(port, upgradeRequest('/time', { headers: ['Origin: https://example.org'] })).ended
  await waitFor(() => timeSocket.stats().ticks.sent > 0, 'a tick')
  peer.ws.close()
  await waitFor(() => timeSocket.stats().closed.client === 1, 'leaving')
  t.equal(published, 0)
})
