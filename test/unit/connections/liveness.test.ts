import { test } from 'tap'
import type { TimeSocketOptions } from '../../../src/index.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { createDelayingProxy } from '../../helpers/network/delaying-proxy.js'
import { connect, inject } from '../../helpers/network/peer.js'
import { openRaw, textFrame, upgradeRequest } from '../../helpers/network/raw.js'
import { https } from '../../helpers/network/tls.js'
import { waitFor } from '../../helpers/network/wait.js'

type Test = Parameters<typeof createTimeApp>[0]

const HEARTBEAT = { interval: 300, timeout: 200 }
/** Generous, because the machine may be busy: heartbeat.test.ts tests it on simulated time. */
const LIMIT_MS = HEARTBEAT.interval + HEARTBEAT.timeout + 10_000
/** The header of a ping of ours, of four bytes: RFC 6455 §5.2. */
const PING = '\x89\x04'

async function setUp (t: Test, options: TimeSocketOptions = {}, serverOptions: object = {}) {
  const closed: string[] = []
  const { app, log, timeSocket } = await createTimeApp(t, {
    heartbeat: HEARTBEAT,
    immediate: false,
    messageRate: false,
    shutdown: { grace: 50 },
    onClose: (client, { code, reason, cause }) => {
      closed.push(`${client.protocol} ${code} ${cause} ${reason}`.trim())
    },
    protocols: ['gone', 'well'],
    ...options
  }, serverOptions)
  const port = await listen(app)
  const scheme = 'https' in serverOptions ? 'wss' : 'ws'
  const open = (name: string, by = port, autoPong = true) => connect(
    `${scheme}://127.0.0.1:${by}/time`, { protocols: [name], autoPong, ca: https.cert })
  return { app, closed, log, timeSocket, port, open }
}

for (const [over, serverOptions] of [['TCP', {}], ['TLS', { https }]] as const) {
  test(`on a real port, over ${over}, a client that disappears without closing is terminated in time`, async (t) => {
    const { closed, timeSocket, port, open } = await setUp(t, {}, serverOptions)
    const proxy = await createDelayingProxy(t, port)
    await open('gone', proxy.port)
    const well = await open('well')
    // Alive until it has answered once.
    await waitFor(() => [...timeSocket.clients.values()].every(({ rtt }) => rtt !== undefined), 'pongs')
    proxy.swallow()
    const startMs = performance.now()
    await waitFor(() => closed.length > 0, 'the end')
    const tookMs = performance.now() - startMs
    t.strictSame(closed, ['gone 1006 heartbeat'])
    t.ok(tookMs >= HEARTBEAT.timeout && tookMs < LIMIT_MS, `after ${tookMs} ms`)
    t.strictSame([...timeSocket.clients.values()].map(({ protocol }) => protocol), ['well'])
    t.equal(well.ws.readyState, well.ws.OPEN)
  })

  test(`on a real port, over ${over}, a client that answers no ping is terminated, even if the TCP connection is alive`, async (t) => {
    const { closed, timeSocket, port, open } = await setUp(t, {}, serverOptions)
    const mute = await open('gone', port, false)
    await open('well')
    t.strictSame(await mute.closed, [1006, ''])
    await waitFor(() => closed.length > 0, 'onClose')
    t.strictSame(closed, ['gone 1006 heartbeat'])
    t.equal(timeSocket.clients.size, 1)
  })
}

test('on a real port, any byte shows that a client is alive, even a byte of an unfinished message', async (t) => {
  const { closed, timeSocket, port, open } = await setUp(t)
  const peer = openRaw(port, upgradeRequest('/time', { headers: ['Sec-WebSocket-Protocol: well'] }))
  await peer.answered
  const mute = await open('gone', port, false)
  let next = 0
  const dribble = setInterval(() => {
    // A message of 125 bytes.
    const frame = textFrame('x'.repeat(125))
    const at = next++ % frame.length
    peer.socket.write(frame.subarray(at, at + 1))
  }, 50)
  t.teardown(() => clearInterval(dribble))
  await mute.closed
  await waitFor(() => closed.length > 0, 'onClose')
  await waitFor(() => peer.text.split(PING).length > 4, 'four pings')
  t.strictSame(closed, ['gone 1006 heartbeat'])
  t.equal(timeSocket.clients.size, 1)
})

test('on a real port, client.rtt is the round trip', async (t) => {
  const atFirst: unknown[] = []
  const { timeSocket, port, open } = await setUp(t, {
    heartbeat: { interval: HEARTBEAT.interval, timeout: 60_000 },
    onConnect: ({ rtt }) => { atFirst.push(rtt) }
  })
  const delay = { delayMs: 100 }
  const near = await createDelayingProxy(t, port)
  const far = await createDelayingProxy(t, port, { up: delay, down: delay })
  await open('gone', near.port)
  await open('well', far.port)
  t.strictSame(atFirst, [undefined, undefined])
  const rtts: Record<string, Set<number>> = { gone: new Set(), well: new Set() }
  await waitFor(() => {
    for (const { protocol, rtt } of timeSocket.clients.values()) {
      if (rtt !== undefined) rtts[protocol]?.add(rtt)
    }
    return Object.values(rtts).every(({ size }) => size >= 4)
  }, 'four pongs of both')
  const [nearMs, farMs] = [Math.min(...rtts['gone'] ?? []), Math.min(...rtts['well'] ?? [])]
  t.ok(nearMs > 0 && nearMs < farMs, `${nearMs} ms`)
  t.ok(farMs >= 198, `${farMs} ms`)
})

test('on a real port, with heartbeat false, no client is pinged or terminated', async (t) => {
  const closed: string[] = []
  const { app } = await createTimeApp(t, {
    heartbeat: false,
    interval: 20,
    format: () => 'tick',
    shutdown: { grace: 50 },
    onClose: (_client, { cause }) => { closed.push(cause) }
  })
  const peer = openRaw(await listen(app), upgradeRequest('/time'))
  await waitFor(() => peer.text.split('tick').length > 50, 'fifty ticks')
  t.notOk(peer.text.includes(PING))
  t.strictSame([closed, app.timeSocket.clients.size], [[], 1])
})

test('an injected client that answers stays, one that does not is terminated', async (t) => {
  const { app, closed, timeSocket } = await setUp(t)
  const good = await inject(app)
  good.ws.on('ping', (data) => good.ws.pong(data))
  await inject(app)
  await waitFor(() => closed.length > 0, 'the end')
  const [client] = timeSocket.clients.values()
  await waitFor(() => client?.rtt !== undefined, 'the round trip')
  t.strictSame([closed, timeSocket.clients.size], [['1006 heartbeat'], 1])
})
