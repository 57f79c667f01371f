import { test } from 'tap'
import type { Client } from '../../../src/connections/client.js'
import { writeFrame } from '../../../src/connections/client-connection.js'
import { createFanOut } from '../../../src/delivery/fan-out.js'
import type { FanOut } from '../../../src/delivery/fan-out.js'
import { encodeFrame } from '../../../src/protocol/frame.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

/** Writing to one client takes this long. The clock is read after 64 clients, or 6.4 ms. */
const WRITE_MS = 0.1

function setUp (clientCount: number) {
  const time = createFakeTime({ wallMs: 0 })
  const fanOut = createFanOut(time.timers)
  const host = { sendPendingDeliveries: fanOut.sendPendingDeliveries }
  const members = Array.from({ length: clientCount }, () => createFakeClient(host))
  const clients = members.map(({ client }) => client)
  const sent = (index: number) => members[index]?.ws.sent ?? []
  const ends: string[] = []
  const encoded: string[] = []

  /** Starts a delivery of `name`, numbered by slice, to all clients, or to some. */
  function start (name: string, recipients: readonly Client<object>[] = clients): void {
    let sliceCount = 0
    fanOut.start({
      recipients,
      encode () {
        encoded.push(`${name} ${++sliceCount}`)
        return encodeFrame(`${name} ${sliceCount}`)
      },
      write (client, frame) {
        time.stall(WRITE_MS)
        writeFrame(client, frame)
      },
      onEnd: () => ends.push(name)
    })
  }
  return { time, fanOut, clients, members, sent, ends, encoded, start }
}

test('a short delivery has ended when start returns', async (t) => {
  const { fanOut, sent, ends, encoded, start, time } = setUp(64)
  start('a')
  t.strictSame([ends, encoded, fanOut.isBusy, time.pendingCount], [['a'], ['a 1'], false, 0])
  for (let index = 0; index < 64; index++) t.strictSame(sent(index), ['a 1'])
})

test('a delivery without recipients ends at once', async (t) => {
  const { ends, start } = setUp(0)
  start('a')
  t.strictSame(ends, ['a'])
})

test('a long delivery is sent in slices, each encoded anew, and the event loop turns between them', async (t) => {
  const { time, fanOut, sent, ends, encoded, start } = setUp(200)
  start('a')
  t.strictSame([ends, encoded, fanOut.isBusy, time.pendingCount], [[], ['a 1'], true, 1])
  time.advance(100)
  t.strictSame([ends, encoded, fanOut.isBusy], [['a'], ['a 1', 'a 2', 'a 3', 'a 4'], false])
  t.strictSame([0, 63, 64, 127, 128, 191, 192, 199].map((index) => sent(index)[0]),
    ['a 1', 'a 1', 'a 2', 'a 2', 'a 3', 'a 3', 'a 4', 'a 4'])
  for (let index = 0; index < 200; index++) t.equal(sent(index).length, 1)
})

test('a second delivery starts after the first has ended, whatever its recipients', async (t) => {
  const { time, sent, ends, start, clients } = setUp(200)
  start('a')
  start('b', clients.slice(100))
  start('c')
  time.advance(200)
  t.strictSame(ends, ['a', 'b', 'c'])
  for (let index = 0; index < 200; index++) {
    t.strictSame(sent(index).map((text) => text[0]), index < 100 ? ['a', 'c'] : ['a', 'b', 'c'])
  }
})

test('a message to one client follows the deliveries in progress to that client', async (t) => {
  const { time, sent, start, clients } = setUp(200)
  start('a')
  start('b')
  for (const index of [0, 63, 64, 199]) clients[index]?.send('you')
  start('c')
  time.advance(200)
  const orderOf = (index: number) => sent(index).map((text) => text.split(' ')[0])
  for (const index of [0, 63, 64, 199]) t.strictSame(orderOf(index), ['a', 'b', 'you', 'c'])
  for (const index of [1, 65, 198]) t.strictSame(orderOf(index), ['a', 'b', 'c'])
})

test('a client that is not a recipient gets nothing', async (t) => {
  const { time, sent, start, clients } = setUp(200)
  start('a', clients.filter((_, index) => index % 2 === 0))
  for (const index of [101, 150]) clients[index]?.send('you')
  time.advance(200)
  t.strictSame([sent(101), sent(150).length], [['you'], 2])
})

test('a close frame follows the deliveries in progress; a terminated client gets nothing', async (t) => {
  const { time, sent, ends, start, clients } = setUp(200)
  start('a')
  clients[150]?.close(4000)
  clients[151]?.terminate()
  time.advance(200)
  t.strictSame([sent(150).map((text) => text.split(' ')[0]), sent(151)], [['a', 'close'], []])
  t.strictSame(ends, ['a'])
})

test('a delivery that onEnd starts follows those that are already waiting', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const fanOut = createFanOut(time.timers)
  const { client, ws } = createFakeClient()
  const start = (name: string, onEnd = () => {}) => fanOut.start({
    recipients: [client],
    encode: () => encodeFrame(name),
    write: (client, frame) => { writeFrame(client, frame) },
    onEnd
  })
  start('a', () => {
    start('b', () => start('c'))
    start('d')
  })
  t.strictSame(ws.sent, ['a', 'b', 'd', 'c'])
})

test('a slice whose encoding fails gets nothing, and the delivery ends', async (t) => {
  const { time, fanOut, clients, sent, ends } = setUp(200)
  let count = 0
  fanOut.start({
    recipients: clients,
    encode: () => ++count === 2 ? undefined : encodeFrame('x'),
    write (client, frame) {
      time.stall(WRITE_MS)
      writeFrame(client, frame)
    },
    onEnd: () => ends.push('end')
  })
  time.advance(200)
  t.strictSame([sent(63), sent(64), ends], [['x'], [], ['end']])
})

test('a format that sends a message itself is called once, and its message comes first', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const fanOut: FanOut = createFanOut(time.timers)
  const { client, ws } = createFakeClient({ sendPendingDeliveries: fanOut.sendPendingDeliveries })
  fanOut.start({
    recipients: [client],
    encode () {
      client.send('from within')
      return encodeFrame('tick')
    },
    write: (client, frame) => { writeFrame(client, frame) },
    onEnd () {}
  })
  t.strictSame(ws.sent, ['from within', 'tick'])
})

test('encodes each wire format once per slice, and only if a client of the slice has it', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  const fanOut = createFanOut(time.timers)
  // In slices of 64: both formats, plain only, time.v1 only.
  const protocols = Array.from({ length: 192 }, (_, index) =>
    (index < 64 && index % 2 === 1) || index >= 128 ? 'time.v1' : '')
  const members = protocols.map((protocol) => createFakeClient({}, {}, protocol))
  const encoded: string[] = []
  fanOut.start({
    recipients: members.map(({ client }) => client),
    encode (format) {
      encoded.push(format)
      return encodeFrame(`${format} ${encoded.length}`)
    },
    write (client, frame) {
      time.stall(WRITE_MS)
      writeFrame(client, frame)
    },
    onEnd () {}
  })
  time.advance(200)
  t.strictSame(encoded, ['plain', 'time', 'plain', 'time'])
  t.strictSame([0, 1, 62, 63, 64, 127, 128, 191].map((index) => members[index]?.ws.sent), [
    ['plain 1'], ['time 2'], ['plain 1'], ['time 2'], ['plain 3'], ['plain 3'], ['time 4'], ['time 4']
  ])
})

test('if one wire format fails, the other is sent, and the failing one is tried once', async (t) => {
  const { timers } = createFakeTime({ wallMs: 0 })
  const fanOut = createFanOut(timers)
  const members = ['', 'time.v1', '', 'time.v1'].map((protocol) => createFakeClient({}, {}, protocol))
  const encoded: string[] = []
  fanOut.start({
    recipients: members.map(({ client }) => client),
    encode (format) {
      encoded.push(format)
      return format === 'plain' ? undefined : encodeFrame('x')
    },
    write: (client, frame) => { writeFrame(client, frame) },
    onEnd () {}
  })
  t.strictSame([encoded, members.map(({ ws }) => ws.sent)], [['plain', 'time'], [[], ['x'], [], ['x']]])
})

test('abandon stops deliveries in order, and later deliveries are sent', async (t) => {
  const { time, fanOut, sent, ends, encoded, start } = setUp(200)
  start('a')
  start('b')
  fanOut.abandon()
  t.strictSame([ends, fanOut.isBusy], [['a', 'b'], false])
  start('c')
  time.advance(100)
  t.strictSame([ends, encoded[0], fanOut.isBusy], [['a', 'b', 'c'], 'a 1', false])
  t.strictSame(sent(0).map((text) => text[0]), ['a', 'c'])
  t.strictSame(sent(199).map((text) => text[0]), ['c'])
  t.equal(time.pendingCount, 0)
})

test('abandon while a delivery is encoded ends it once, and no later delivery', async (t) => {
  for (const isAhead of [false, true]) {
    const { time, fanOut, clients, sent, ends, start } = setUp(200)
    if (isAhead) start('first')
    const formats: string[] = []
    fanOut.start({
      recipients: [...clients, createFakeClient({}, {}, 'time.v1').client],
      encode (format) {
        formats.push(format)
        fanOut.abandon()
        start('next')
        return encodeFrame('abandoned')
      },
      write: (client, frame) => { writeFrame(client, frame) },
      onEnd: () => ends.push('abandoned')
    })
    if (isAhead) clients[199]?.send('you')
    // The next one begins in the same turn.
    else t.strictSame(sent(0), ['next 1'])
    time.advance(200)
    const expected = isAhead ? ['first', 'abandoned', 'next'] : ['abandoned', 'next']
    t.strictSame([ends, fanOut.isBusy, time.pendingCount], [expected, false, 0])
    t.strictSame(formats, ['plain'])
    const namesOf = (index: number) => sent(index).map((text) => text.split(' ')[0])
    t.strictSame(namesOf(0), isAhead ? ['first', 'next'] : ['next'])
    t.strictSame(namesOf(199), isAhead ? ['first', 'you', 'next'] : ['next'])
  }
})

test('after an exception, the next client and the next delivery are served', async (t) => {
  for (const part of ['encode', 'write', 'onEnd']) {
    const { time, fanOut, clients, sent, start } = setUp(3)
    let count = 0
    const failOnce = (name: string) => {
      if (name === part && count++ === 0) throw new Error('no')
    }
    t.throws(() => fanOut.start({
      recipients: clients,
      encode () {
        failOnce('encode')
        return encodeFrame('a')
      },
      write (client, frame) {
        failOnce('write')
        writeFrame(client, frame)
      },
      onEnd () { failOnce('onEnd') }
    }), { message: 'no' })
    start('b')
    time.advance(100)
    const isServed = part === 'onEnd'
    t.strictSame([0, 1, 2].map(sent), [isServed ? ['a', 'b 1'] : ['b 1'], ['a', 'b 1'], ['a', 'b 1']], part)
    t.equal(fanOut.isBusy, false)
  }
})
