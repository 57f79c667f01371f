import { test } from 'tap'
import { createFanOut } from '../../../src/delivery/fan-out.js'
import { encodeFrame } from '../../../src/protocol/frame.js'
import { createInboundMessages } from '../../../src/connections/inbound-messages.js'
import { writeFrame } from '../../../src/connections/client-connection.js'
import type { Rate } from '../../../src/connections/rate-limit.js'
import { createWallClock } from '../../../src/time/wall-clock.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeOutageLog } from '../../helpers/fakes/fake-outage-log.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const START_MS = 1_795_262_400_000

function setUp (messageRate: Rate | false = false) {
  const time = createFakeTime({ wallMs: START_MS })
  const { timers } = time
  const source = { isFailing: false, now: () => source.isFailing ? NaN : time.clock.now() }
  const clock = createWallClock({ source, timers, outageLog: createFakeOutageLog() })
  const fanOut = createFanOut(timers)
  const counters = { messages: { received: 0, ignored: 0 } }
  const told: unknown[] = []
  const inbound = createInboundMessages<object>({
    clock,
    timers,
    messageRate,
    counters,
    onMessage: (_client, data) => told.push(data)
  })
  const join = (protocol: string) => {
    const { sendPendingDeliveries } = fanOut
    const { client, ws } = createFakeClient({ sendPendingDeliveries }, {}, protocol)
    const send = (text: string) => inbound.onMessage(client, Buffer.from(text), false)
    return { client, ws, send }
  }
  const { messages } = counters
  return { time, source, fanOut, inbound, join, told, messages, page: join('time.v1') }
}

test('answers a sync request with the time of its arrival', async (t) => {
  const { time, page, told, messages } = setUp()
  time.advance(1234.567)
  page.send('{"type":"sync","id":12}')
  t.strictSame(page.ws.sent, [`{"type":"sync","id":12,"at":${START_MS + 1234.57},"hold":0,"clockSteps":0}`])
  t.strictSame([told, messages], [[], { received: 1, ignored: 0 }])
})

test('hold includes the time that an answer waited for deliveries in progress', async (t) => {
  const { time, fanOut, page } = setUp()
  fanOut.start({
    recipients: [...Array.from({ length: 64 }, () => createFakeClient().client), page.client],
    encode: () => encodeFrame('news'),
    write (client, frame) {
      time.stall(0.125)
      writeFrame(client, frame)
    },
    onEnd () {}
  })
  t.strictSame(page.ws.sent, [], 'the slice was over before its turn')
  page.send('{"type":"sync","id":1}')
  t.strictSame(page.ws.sent, ['news', `{"type":"sync","id":1,"at":${START_MS + 8},"hold":0.13,"clockSteps":0}`])
})

test('an answer after a step of the wall clock has the new clockSteps', async (t) => {
  const { time, page } = setUp()
  page.send('{"type":"sync","id":1}')
  time.step(3000)
  page.send('{"type":"sync","id":2}')
  const replies = page.ws.sent.map((text) => JSON.parse(text))
  t.strictSame(replies.map(({ at, clockSteps }) => [at, clockSteps]),
    [[START_MS, 0], [START_MS + 3000, 1]])
})

test('sends no answer while the clock fails, but still delivers messages', async (t) => {
  const { source, page, told, messages } = setUp()
  source.isFailing = true
  page.send('{"type":"sync","id":1}')
  page.send('{"type":"message","data":"x"}')
  t.strictSame([page.ws.sent, told, messages], [[], ['x'], { received: 2, ignored: 1 }])
})

test('unwraps messages of time.v1, and counts unknown ones as ignored', async (t) => {
  const { inbound, page, told, messages } = setUp()
  page.send('{"type":"message","data":"hi"}')
  page.send('{"type":"message","data":{"bid":5}}')
  page.send('{"type":"future","data":1}')
  page.send('plain text')
  inbound.onMessage(page.client, Buffer.from('{"type":"sync","id":1}'), true)
  t.strictSame(told, ['hi', '{"bid":5}', Buffer.from('{"type":"sync","id":1}')])
  t.strictSame([page.ws.sent, messages], [[], { received: 5, ignored: 2 }])
})

test('delivers every message of a plain client unchanged', async (t) => {
  const { inbound, join, told, messages } = setUp()
  const plain = join('')
  plain.send('{"type":"sync","id":1}')
  inbound.onMessage(plain.client, Buffer.of(1), true)
  t.strictSame([told, plain.ws.sent], [['{"type":"sync","id":1}', Buffer.of(1)], []])
  t.strictSame(messages, { received: 2, ignored: 0 })
})

for (const [title, protocol, text] of [
  ['plain messages', '', 'x'],
  ['messages', 'time.v1', '{"type":"message","data":1}'],
  ['messages that are ignored', 'time.v1', '?']
] as const) {
  test(`closes with 1008 after too many ${title}`, async (t) => {
    const { join, messages } = setUp({ burst: 3, perSecond: 1 })
    const { ws, send } = join(protocol)
    for (let count = 0; count < 3; count++) send(text)
    t.strictSame(ws.sent, [])
    send(text)
    t.strictSame([ws.sent, messages.received], [['close 1008'], 3])
  })
}

test('drops sync requests beyond 20 at once and 2 per second, and closes with 1008 at ten times that', async (t) => {
  const { time, page, messages } = setUp({ burst: 3, perSecond: 1 })
  const sync = () => page.send('{"type":"sync","id":1}')
  for (let count = 0; count < 200; count++) sync()
  t.strictSame([page.ws.sent.length, messages], [20, { received: 200, ignored: 180 }])
  time.advance(1000)
  for (let count = 0; count < 20; count++) sync()
  t.strictSame([page.ws.sent.length, messages.ignored], [22, 198])
  sync()
  t.strictSame(page.ws.sent.slice(22), ['close 1008'])
})

test('sync requests take no tokens from messages, nor messages from sync requests', async (t) => {
  const { page, told } = setUp({ burst: 3, perSecond: 1 })
  for (let id = 0; id < 20; id++) page.send(`{"type":"sync","id":${id}}`)
  for (let count = 0; count < 3; count++) page.send('{"type":"message","data":"x"}')
  t.strictSame([page.ws.sent.length, told], [20, ['x', 'x', 'x']])
})

test('answers every sync request if messageRate is false', async (t) => {
  const { page } = setUp(false)
  for (let count = 0; count < 500; count++) page.send('{"type":"sync","id":1}')
  t.equal(page.ws.sent.length, 500)
})

test('a ping takes a token of the messages', async (t) => {
  const { inbound, page } = setUp({ burst: 2, perSecond: 1 })
  for (let count = 0; count < 2; count++) inbound.onControlFrame(page.client)
  t.strictSame(page.ws.sent, [])
  inbound.onControlFrame(page.client)
  t.strictSame(page.ws.sent, ['close 1008'])
})
