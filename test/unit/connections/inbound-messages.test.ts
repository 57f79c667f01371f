import { test } from 'tap'
import { createFanOut } from '../../../src/delivery/fan-out.js'
import { encodeFrame } from '../../../src/protocol/frame.js'
import { createInbox } from '../../../src/connections/inbound-messages.js'
import { createRateLimit } from '../../../src/connections/rate-limit.js'
import type { Rate } from '../../../src/connections/rate-limit.js'
import { createServerClock } from '../../../src/time/server-time.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeFault } from '../../helpers/fakes/fake-fault.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const START_MS = 1_795_262_400_000

function setUp (messageRate: Rate | false = false) {
  const time = createFakeTime({ wallMs: START_MS })
  const { timers } = time
  const source = { isFailing: false, now: () => source.isFailing ? NaN : time.clock.now() }
  const clock = createServerClock({ source, timers, fault: createFakeFault() })
  const fanOut = createFanOut<object>(timers)
  const counters = { messages: { received: 0, ignored: 0 } }
  const told: unknown[] = []
  const inbox = createInbox<object>({
    clock,
    timers,
    fanOut,
    limit: createRateLimit(messageRate),
    counters,
    onMessage: (_client, data) => told.push(data)
  })
  const join = (protocol: string) => {
    const { client, ws } = createFakeClient({ sending: fanOut.serve }, {}, protocol)
    return { client, ws, send: (text: string) => inbox(client, Buffer.from(text), false) }
  }
  const { messages } = counters
  return { time, source, fanOut, inbox, join, told, messages, page: join('time.v1') }
}

test('answers a sync with the time of its arrival, told at once', async (t) => {
  const { time, page, told, messages } = setUp()
  time.advance(1234.567)
  page.send('{"type":"sync","id":12}')
  t.strictSame(page.ws.sent, [`{"type":"sync","id":12,"at":${START_MS + 1234.57},"hold":0,"clockSteps":0}`])
  t.strictSame([told, messages], [[], { received: 1, ignored: 0 }])
})

test('tells how long it held an answer behind what was on its way', async (t) => {
  const { time, fanOut, page } = setUp()
  fanOut.start({
    recipients: [...Array.from({ length: 64 }, () => createFakeClient().client), page.client],
    encode: () => encodeFrame('news'),
    deliver (client, frame) {
      time.stall(0.125)
      client.write(frame)
    },
    onEnd () {}
  })
  t.strictSame(page.ws.sent, [], 'the slice was over before its turn')
  page.send('{"type":"sync","id":1}')
  t.strictSame(page.ws.sent, ['news', `{"type":"sync","id":1,"at":${START_MS + 8},"hold":0.13,"clockSteps":0}`])
})

test('an answer after a step of the wall clock counts the step', async (t) => {
  const { time, page } = setUp()
  page.send('{"type":"sync","id":1}')
  time.step(3000)
  page.send('{"type":"sync","id":2}')
  const replies = page.ws.sent.map((text) => JSON.parse(text))
  t.strictSame(replies.map(({ at, clockSteps }) => [at, clockSteps]),
    [[START_MS, 0], [START_MS + 3000, 1]])
})

test('while the clock fails there is no answer, and all else goes on', async (t) => {
  const { source, page, told, messages } = setUp()
  source.isFailing = true
  page.send('{"type":"sync","id":1}')
  page.send('{"type":"message","data":"x"}')
  t.strictSame([page.ws.sent, told, messages], [[], ['x'], { received: 2, ignored: 1 }])
})

test('unwraps what a client of time.v1 sends, and ignores and counts what is none', async (t) => {
  const { inbox, page, told, messages } = setUp()
  page.send('{"type":"message","data":"hi"}')
  page.send('{"type":"message","data":{"bid":5}}')
  page.send('{"type":"future","data":1}')
  page.send('plain text')
  inbox(page.client, Buffer.from('{"type":"sync","id":1}'), true)
  t.strictSame(told, ['hi', '{"bid":5}', Buffer.from('{"type":"sync","id":1}')])
  t.strictSame([page.ws.sent, messages], [[], { received: 5, ignored: 2 }])
})

test('tells all that a plain client sends as it is', async (t) => {
  const { inbox, join, told, messages } = setUp()
  const plain = join('')
  plain.send('{"type":"sync","id":1}')
  inbox(plain.client, Buffer.of(1), true)
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

test('leaves a sync beyond the rate out, and closes with 1008 at ten times the rate', async (t) => {
  const { time, page, messages } = setUp({ burst: 3, perSecond: 1 })
  const sync = () => page.send('{"type":"sync","id":1}')
  for (let count = 0; count < 30; count++) sync()
  t.strictSame([page.ws.sent.length, messages], [3, { received: 30, ignored: 27 }])
  time.advance(1000)
  for (let count = 0; count < 10; count++) sync()
  t.strictSame([page.ws.sent.length, messages.ignored], [4, 36])
  sync()
  t.strictSame(page.ws.sent.slice(4), ['close 1008'])
})
