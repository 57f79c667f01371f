import { test } from 'tap'
import type { TimeSocketOptions } from '../../../src/index.js'
import { passUntil, simulateTimers } from '../../helpers/fakes/simulated-timers.js'
import { createTimeApp, listen } from '../../helpers/network/app.js'
import { connect } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'
import { https } from '../../helpers/network/tls.js'

type Test = Parameters<typeof createTimeApp>[0]

const DAY_MS = 86_400_000
const WITHDRAWN = 'scheduled broadcasts withdrawn'

/** A time socket on a real port, on simulated time, and clients of both kinds. */
async function setUp (
  t: Test, options: TimeSocketOptions<object> = {}, serverOptions: { https?: typeof https } = {}
) {
  const time = simulateTimers(t)
  const { app, log, timeSocket } = await createTimeApp(t, {
    immediate: false, clock: time.clock, ...options
  }, serverOptions as {})
  const scheme = serverOptions.https === undefined ? 'ws' : 'wss'
  const url = `${scheme}://127.0.0.1:${await listen(app)}/time`
  const join = (protocols: string[]) => connect(url, { protocols, ca: https.cert })
  return {
    app,
    log,
    timeSocket,
    time,
    joinPlain: () => join([]),
    joinTime: () => join(['time.v1'])
  }
}

/** What a client of `time.v1` was sent after its greeting. */
function read ({ messages }: Peer): unknown[] {
  return messages.slice(1).map((text) => typeof text === 'string' ? JSON.parse(text) : text)
}

for (const [title, serverOptions] of [['TCP', {}], ['TLS', { https }]] as const) {
  test(`over ${title}, clients of time.v1 get messages early; all others get them on time and in order, as all clients get bytes`, async (t) => {
    const { time, timeSocket, joinPlain, joinTime } = await setUp(t, {}, serverOptions)
    const [plain, page] = [await joinPlain(), await joinTime()]
    const at = timeSocket.now() + 400
    t.equal(timeSocket.broadcast({ sold: 7 }, { at, key: 'lot-7' }), 2)
    t.equal(timeSocket.broadcast(Buffer.of(7), { at }), 2)
    timeSocket.broadcast('never', { at, key: 'no' })
    t.equal(timeSocket.cancel('no'), true)
    await page.received(4)
    const late = await joinTime()
    await late.received(2)
    time.advance(399)
    timeSocket.broadcast('just before', { filter: ({ protocol }) => protocol === '' })
    time.advance(1)
    await Promise.all([plain.received(3), page.received(5), late.received(3)])
    const early = { type: 'message', data: { sold: 7 }, at, key: 'lot-7' }
    const withdrawn = [
      { type: 'message', data: 'never', at, key: 'no' }, { type: 'cancel', key: 'no' }
    ]
    t.strictSame(plain.messages, ['just before', '{"sold":7}', Buffer.of(7)])
    t.strictSame(read(page), [early, ...withdrawn, Buffer.of(7)])
    t.strictSame(read(late), [early, Buffer.of(7)])
  })
}

test('on a real port, a client that joins is sent all pending messages in one write', async (t) => {
  const { app, timeSocket, joinTime } = await setUp(t)
  for (let count = 0; count < 100; count++) {
    timeSocket.broadcast('x', { at: timeSocket.now() + 60_000, key: String(count) })
  }
  let writeCount = 0
  app.server.prependOnceListener('connection', (socket) => {
    const { _write, _writev } = socket
    Object.assign(socket, {
      _write (...args: Parameters<typeof _write>) {
        writeCount++
        _write.apply(socket, args)
      },
      _writev (...args: Parameters<NonNullable<typeof _writev>>) {
        writeCount++
        _writev?.apply(socket, args)
      }
    })
  })
  const page = await joinTime()
  await page.received(101)
  t.equal(writeCount, 3, 'the head, hello, and the rest')
})

test('on a real port, a client that reconnects is sent pending messages again, as the same text', async (t) => {
  const { timeSocket, joinTime } = await setUp(t)
  const first = await joinTime()
  timeSocket.broadcast('x', { at: timeSocket.now() + 60_000.123 })
  await first.received(2)
  first.ws.close()
  await first.closed
  const second = await joinTime()
  await second.received(2)
  t.equal(second.messages[1], first.messages[1])
})

test('on a real port, scheduled messages follow a step of the clock within about a second', async (t) => {
  const { time, timeSocket, joinPlain } = await setUp(t, { interval: DAY_MS })
  const plain = await joinPlain()
  timeSocket.broadcast('x', { at: timeSocket.now() + 3_600_000 })
  time.step(3_600_000)
  time.advance(1500)
  await plain.received(1)
  t.strictSame(plain.messages, ['x'])
})

for (const [title, close] of [['app.close', 'app'], ['timeSocket.close', 'timeSocket']] as const) {
  test(`${title} withdraws pending messages, and logs their number`, async (t) => {
    const scene = await setUp(t)
    const { log, time, timeSocket, joinPlain } = scene
    const plain = await joinPlain()
    const at = timeSocket.now() + 200
    for (const key of ['a', 'b']) timeSocket.broadcast(key, { at, key })
    await scene[close].close()
    const lines = log.lines.filter(({ msg }) => msg === WITHDRAWN)
    t.match(lines, [{ level: 40, count: 2, timeSocket: '/time' }])
    t.strictSame([lines.length, timeSocket.cancel('a'), timeSocket.broadcast('c', { at })],
      [1, false, 0])
    time.advance(10_000)
    await plain.closed
    t.strictSame(plain.messages, [])
  })
}

test('nothing is logged if no message is pending', async (t) => {
  const { app, log } = await setUp(t)
  await app.close()
  t.strictSame(log.lines.filter(({ msg }) => msg === WITHDRAWN), [])
})

test('until its own 1001, a client gets scheduled messages', async (t) => {
  const { time, timeSocket, joinPlain } = await setUp(t, { shutdown: { spread: 3000 } })
  const peers = [await joinPlain(), await joinPlain(), await joinPlain()]
  timeSocket.broadcast('x', { at: timeSocket.now() + 100 })
  const closed = timeSocket.close()
  await peers[0]?.closed
  time.advance(100)
  await peers[2]?.received(1)
  await passUntil(closed, time)
  t.strictSame(peers.map(({ messages }) => messages), [[], ['x'], ['x']])
})

test('pending messages do not keep the process alive', async (t) => {
  const { timeSocket } = await createTimeApp(t)
  const countTimers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = countTimers()
  timeSocket.broadcast('x', { at: timeSocket.now() + DAY_MS })
  t.equal(countTimers(), before)
})
