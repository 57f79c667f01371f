import { test } from 'tap'
import { createBroadcaster } from '../../../src/delivery/broadcast.js'
import type { Receive } from '../../../src/delivery/broadcast.js'
import type { Client } from '../../../src/connections/client.js'
import { createClients } from '../../../src/connections/client-registry.js'
import { createFanOut } from '../../../src/delivery/fan-out.js'
import type { Log } from '../../../src/observability/log.js'
import { createTelemetry } from '../../../src/observability/telemetry.js'
import { createFakeClient } from '../../helpers/fakes/fake-client.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const NOW_MS = 1_795_262_400_000
const AT_MS = NOW_MS + 5000
const LATER_MS = NOW_MS + 9000
const DAY_MS = 86_400_000

/** A message as clients of `time.v1` get it. */
function messageOf (data: unknown, stamp: { at?: number, key?: string } = {}): string {
  return JSON.stringify({ type: 'message', data, ...stamp })
}

function cancelOf (key: string): string {
  return JSON.stringify({ type: 'cancel', key })
}

function setUp () {
  const time = createFakeTime({ wallMs: NOW_MS })
  const lines: [fields: object, message: string][] = []
  const write = (fields: object, message: string) => { lines.push([fields, message]) }
  const log: Log = { debug () {}, info () {}, warn: write, error: write }
  const fanOut = createFanOut(time.timers)
  const clients = createClients<object>()
  let receive: Receive = () => {}
  const broadcaster = createBroadcaster<object>({
    clients,
    fanOut,
    clock: time.clock,
    timers: time.timers,
    createRelay (toThisServer) {
      receive = toThisServer
      return { send () {}, async start () {}, async close () {} }
    },
    telemetry: createTelemetry(time.timers),
    log
  })

  /** @param onConnect what the application does before it is sent what is scheduled. */
  function join (
    protocol: string, context: object = {}, onConnect = (_client: Client<object>) => {}
  ) {
    const { sendPendingDeliveries } = fanOut
    const { client, ws } = createFakeClient({ sendPendingDeliveries }, { context }, protocol)
    broadcaster.welcome(client, () => {
      clients.add(client)
      onConnect(client)
    })
    return {
      id: client.id,
      client,
      sent: ws.sent,
      leave () {
        ws.readyState = 3
        clients.remove(client)
      }
    }
  }
  return {
    time,
    lines,
    ...broadcaster,
    receive,
    joinPlain: (context?: object, onConnect?: (client: Client<object>) => void) =>
      join('', context, onConnect),
    joinTime: (context?: object, onConnect?: (client: Client<object>) => void) =>
      join('time.v1', context, onConnect)
  }
}

test('clients of time.v1 get a scheduled broadcast at once, all others when it is due', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const [plain, page] = [joinPlain(), joinTime()]
  t.equal(broadcast({ sold: 7 }, { at: AT_MS, key: 'lot' }), 2)
  time.advance(4999)
  const early = messageOf({ sold: 7 }, { at: AT_MS, key: 'lot' })
  t.strictSame([plain.sent, page.sent], [[], [early]])
  time.advance(1)
  t.strictSame([plain.sent, page.sent], [['{"sold":7}'], [early]])
  time.advance(DAY_MS)
  t.strictSame([plain.sent.length, page.sent.length, time.pendingCount], [1, 1, 0])
})

test('bytes are sent to all clients when they are due', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const [plain, page] = [joinPlain(), joinTime()]
  const bytes = Buffer.from('bytes')
  t.equal(broadcast(bytes, { at: new Date(AT_MS) }), 2)
  bytes.fill(0)
  time.advance(4999)
  t.strictSame([plain.sent, page.sent], [[], []])
  time.advance(1)
  t.strictSame([plain.sent, page.sent], [['bytes'], ['bytes']])
})

test('a message keeps its content of the time of the call', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const plain = joinPlain()
  const data = { bid: 1 }
  broadcast(data, { at: AT_MS })
  data.bid = 2
  time.advance(5000)
  t.strictSame(plain.sent, ['{"bid":1}'])
})

test('a client that joins before the time gets pending broadcasts in the order of the calls; one that joins later does not', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  broadcast('second', { at: LATER_MS })
  broadcast('first', { at: AT_MS, key: 'k' })
  broadcast('now')
  time.advance(4000)
  const [plain, page] = [joinPlain(), joinTime()]
  const early = [messageOf('second', { at: LATER_MS }), messageOf('first', { at: AT_MS, key: 'k' })]
  t.strictSame([plain.sent, page.sent], [[], early])
  time.advance(1000)
  const [late, latePage] = [joinPlain(), joinTime()]
  time.advance(4000)
  t.strictSame([plain.sent, page.sent], [['first', 'second'], early])
  t.strictSame([late.sent, latePage.sent], [['second'], early.slice(0, 1)])
})

test('broadcasts due at the same time are sent in the order of the calls', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const plain = joinPlain()
  for (const name of ['a', 'b', 'c']) broadcast(name, { at: AT_MS })
  time.advance(5000)
  t.strictSame(plain.sent, ['a', 'b', 'c'])
})

test('a broadcast whose time has passed is sent at once; clients that join later do not get it', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const [plain, page] = [joinPlain(), joinTime()]
  broadcast('now', { at: NOW_MS })
  broadcast('past', { at: NOW_MS - 5000 })
  const late = joinTime()
  t.strictSame([plain.sent, late.sent, time.pendingCount], [['now', 'past'], [], 0])
  t.strictSame(page.sent,
    [messageOf('now', { at: NOW_MS }), messageOf('past', { at: NOW_MS - 5000 })])
})

test('a broadcast whose time has passed does not overtake scheduled ones that are already due', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const plain = joinPlain()
  broadcast('second', { at: NOW_MS + 20 })
  broadcast('first', { at: NOW_MS + 10 })
  broadcast('later', { at: LATER_MS })
  // As after a stall, no timer has fired yet. time.stall() would fire them.
  time.step(30)
  broadcast('third', { at: NOW_MS + 25 })
  t.strictSame(plain.sent, ['first', 'second', 'third'])
  time.advance(9000)
  t.strictSame(plain.sent, ['first', 'second', 'third', 'later'])
})

/** Sets up a broadcast due at `NOW_MS + 10` whose timer is late, as after a stall. */
function setUpOverdue (key?: string) {
  const parts = setUp()
  const [plain, page] = [parts.joinPlain(), parts.joinTime()]
  parts.broadcast('overdue', { at: NOW_MS + 10, key })
  // time.stall() would call the timer.
  parts.time.step(30)
  return { ...parts, plain, page }
}

test('no broadcast overtakes an overdue one, whether it has a time, a key, or neither', async (t) => {
  for (const options of [{}, { key: 'k' }, { at: LATER_MS }, { at: LATER_MS, key: 'k' }]) {
    const { time, broadcast, plain } = setUpOverdue()
    broadcast('next', options)
    t.equal(plain.sent[0], 'overdue', JSON.stringify(options))
    time.advance(9000)
    t.strictSame(plain.sent, ['overdue', 'next'])
  }
})

test('an overdue broadcast can be neither replaced nor withdrawn', async (t) => {
  for (const replace of [false, true]) {
    const { broadcast, cancel, plain, page } = setUpOverdue('k')
    if (replace) broadcast('new', { at: LATER_MS, key: 'k' })
    else t.equal(cancel('k'), false)
    t.strictSame(plain.sent, ['overdue'])
    t.notOk(page.sent.includes(cancelOf('k')))
  }
})

test('a client that joins does not get an overdue broadcast', async (t) => {
  const { time, joinPlain, joinTime, plain } = setUpOverdue()
  const [late, latePage] = [joinPlain(), joinTime()]
  time.advance(1000)
  t.strictSame([plain.sent, late.sent, latePage.sent], [['overdue'], [], []])
})

test('what becomes due during onConnect is sent to everybody, once, before what follows', async (t) => {
  for (const isEarly of [true, false]) {
    for (const where of [{}, { room: 1 }]) {
      const { time, broadcast, cancel, joinPlain, joinTime } = setUp()
      const other = joinPlain({ room: 1 })
      broadcast('due', { at: NOW_MS + 10, key: 'k', where })
      broadcast('withdrawn', { at: LATER_MS, key: 'l', where })
      const onConnect = (client: Client<object>) => {
        client.context = { room: 1 }
        time.step(30)
        t.strictSame(['k', 'l'].map(cancel), [false, true])
        broadcast('next')
        t.strictSame(other.sent, ['due', 'next'])
      }
      const { sent } = isEarly ? joinTime({}, onConnect) : joinPlain({}, onConnect)
      const due = isEarly ? messageOf('due', { at: NOW_MS + 10, key: 'k' }) : 'due'
      const next = isEarly ? messageOf('next') : 'next'
      time.advance(9000)
      t.strictSame(sent, [due, next], JSON.stringify({ isEarly, where }))
    }
  }
})

test('overdue broadcasts do not count towards the 1000 that may be pending', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const plain = joinPlain()
  for (let count = 0; count < 1000; count++) broadcast(count, { at: NOW_MS + 10 })
  time.step(30)
  t.doesNotThrow(() => broadcast('next', { at: AT_MS }))
  t.equal(plain.sent.length, 1000)
})

test('decides once per client: at the call, or when the client joins', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const rooms = [{ room: 1 }, { room: 2 }]
  const joinAll = () => [rooms.map((room) => joinPlain(room)), rooms.map((room) => joinTime(room))]
  const [plain = [], page = []] = joinAll()
  t.equal(broadcast('x', { at: AT_MS, where: { room: 1 } }), 2)
  const [latePlain = [], latePage = []] = joinAll()
  // All change places.
  for (const { client } of [...plain, ...page, ...latePlain, ...latePage]) {
    client.context = { room: 3 - Number(Reflect.get(client.context, 'room')) }
  }
  time.advance(5000)
  const early = messageOf('x', { at: AT_MS })
  t.strictSame([plain, latePlain].map((members) => members.map(({ sent }) => sent)),
    [[['x'], []], [['x'], []]])
  t.strictSame([page, latePage].map((members) => members.map(({ sent }) => sent)),
    [[[early], []], [[early], []]])
})

test('a joining client is chosen by its context after onConnect', async (t) => {
  const { broadcast, joinTime } = setUp()
  broadcast('x', { at: AT_MS, where: { room: 1 } })
  const page = joinTime({}, (client) => { client.context = { room: 1 } })
  t.equal(page.sent.length, 1)
})

test('except leaves a client out, and the filter is called for joining clients', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const [first, second] = [joinPlain(), joinPlain()]
  const asked: string[] = []
  t.equal(broadcast('x', {
    at: AT_MS,
    except: first.id,
    filter: ({ id }) => asked.push(id) > 0
  }), 1)
  const third = joinPlain()
  time.advance(5000)
  t.strictSame([first.sent, second.sent, third.sent], [[], ['x'], ['x']])
  t.strictSame(asked, [second.id, third.id])
})

test('a filter that throws for a joining client is logged, and other clients get the broadcast', async (t) => {
  const { time, lines, broadcast, joinPlain, joinTime } = setUp()
  const first = joinPlain()
  const err = new Error('no database')
  broadcast('x', { at: AT_MS, filter ({ id }) { if (id === first.id) return true; throw err } })
  broadcast('y', { at: AT_MS })
  const page = joinTime()
  time.advance(5000)
  t.strictSame([first.sent, page.sent], [['x', 'y'], [messageOf('y', { at: AT_MS })]])
  t.strictSame(lines, [
    [{ id: page.id, failures: 1, err }, 'the filter of a scheduled broadcast failed']
  ])
})

test('a filter that throws at the call does not change pending broadcasts', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const [plain, page] = [joinPlain(), joinTime()]
  broadcast('old', { at: AT_MS, key: 'k' })
  t.throws(() => broadcast('new', { at: AT_MS, key: 'k', filter () { throw new Error('no') } }))
  time.advance(5000)
  t.strictSame([plain.sent, page.sent.length], [['old'], 1])
})

test('a client gets a broadcast that its onConnect schedules once', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const plain = joinPlain()
  broadcast('before', { at: AT_MS })
  const page = joinTime({}, () => { broadcast('during', { at: AT_MS }) })
  time.advance(5000)
  t.strictSame(page.sent.map((text) => JSON.parse(text).data), ['during', 'before'])
  t.strictSame(plain.sent, ['before', 'during'])
})

test('what is withdrawn or replaced during onConnect is not sent to the client', async (t) => {
  const { time, broadcast, cancel, joinPlain, joinTime } = setUp()
  const [other, page] = [joinPlain(), joinTime()]
  for (const key of ['k', 'l']) broadcast('old', { at: AT_MS, key })
  const onConnect = () => {
    cancel('k')
    broadcast('new', { at: AT_MS, key: 'l' })
  }
  const [plain, joined] = [joinPlain({}, onConnect), joinTime()]
  time.advance(5000)
  const replaced = messageOf('new', { at: AT_MS, key: 'l' })
  t.strictSame([other.sent, plain.sent, joined.sent], [['new'], ['new'], [replaced]])
  t.strictSame(page.sent.slice(2), [cancelOf('k'), replaced])
  const late = joinTime({}, () => { cancel('l') })
  t.strictSame(late.sent, [])
})

test('a joining client that is not chosen does not get what becomes due during onConnect', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  broadcast('due', { at: NOW_MS + 10, where: { room: 1 } })
  const onConnect = () => {
    time.step(30)
    broadcast('next')
  }
  t.strictSame(joinPlain({ room: 2 }, onConnect).sent, ['next'])
  broadcast('later', { at: AT_MS, where: { room: 1 } })
  t.strictSame(joinTime({ room: 2 }, onConnect).sent, [messageOf('next')])
})

test('while a client joins, another may join', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  broadcast('due', { at: NOW_MS + 10 })
  const sent: string[][] = []
  const outer = joinPlain({}, () => {
    const inner = joinTime({}, () => {
      time.step(30)
      broadcast('next')
    })
    sent.push(inner.sent)
  })
  const due = messageOf('due', { at: NOW_MS + 10 })
  t.strictSame([outer.sent, ...sent], [['due', 'next'], [due, messageOf('next')]])
})

test('while a client joins, the others get what is due in order, whatever a filter sends', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const other = joinPlain()
  let send = () => {}
  const filter = () => {
    send()
    return true
  }
  broadcast('first', { at: NOW_MS + 10, filter })
  broadcast('second', { at: NOW_MS + 20 })
  const { sent } = joinPlain({}, () => {
    send = () => { broadcast('of the filter') }
    time.step(30)
    broadcast('next')
  })
  t.strictSame(other.sent, ['first', 'second', 'of the filter', 'next'])
  t.strictSame(sent, ['second', 'of the filter', 'first', 'next'])
})

test('a filter is not asked about a client that onConnect closes', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  let asked = 0
  const filter = () => {
    asked++
    return true
  }
  broadcast('due', { at: NOW_MS + 10, filter })
  broadcast('pending', { at: AT_MS, filter })
  const closing = joinPlain({}, (client) => {
    client.close(4001)
    time.step(30)
    broadcast('next')
  })
  t.strictSame([asked, closing.sent.length], [0, 1])
  t.strictSame(joinTime({}, (client) => client.close(4001)).sent.length, 1)
  t.equal(asked, 0)
})

test('for each joining client, a filter is asked once', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const asked: string[] = []
  const filterOf = (name: string, act = () => {}) => () => {
    asked.push(name)
    act()
    return false
  }
  broadcast('a', { at: NOW_MS + 10, filter: filterOf('a') })
  broadcast('b', { at: AT_MS, filter: filterOf('b', () => { time.step(30); broadcast('c') }) })
  joinPlain()
  t.strictSame(asked, ['a', 'b'])
})

test('after onConnect, what a filter sends does not overtake its overdue broadcast', async (t) => {
  const { time, broadcast, joinTime, joinPlain } = setUp()
  let hasSent = false
  const filter = () => {
    if (hasSent) return true
    hasSent = true
    time.step(30)
    broadcast('next')
    return true
  }
  broadcast('due', { at: NOW_MS + 10, filter })
  t.strictSame(joinTime().sent, [messageOf('due', { at: NOW_MS + 10 }), messageOf('next')])
  time.advance(1000)
  t.strictSame(joinPlain().sent, [])
})

test('a filter may cancel the broadcast that it is called for', async (t) => {
  const { broadcast, cancel, joinTime } = setUp()
  broadcast('x', { at: AT_MS, key: 'k', filter: () => cancel('k') })
  const page = joinTime()
  t.strictSame(page.sent, [])
})

test('a client that has left gets nothing, and a closing client is not counted', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const members = [joinPlain(), joinTime(), joinPlain()]
  members[0]?.leave()
  members[1]?.client.close()
  t.equal(broadcast('x', { at: AT_MS }), 1)
  members[2]?.leave()
  time.advance(5000)
  t.strictSame(members.map(({ sent }) => sent), [[], ['close 1000'], []])
})

test('a later broadcast with the same key replaces the pending one', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const [plain, page] = [joinPlain(), joinTime()]
  broadcast('old', { at: AT_MS, key: 'k' })
  broadcast('other', { at: AT_MS, key: 'other' })
  broadcast('new', { at: LATER_MS, key: 'k' })
  const late = joinTime()
  time.advance(9000)
  const [old, other, changed] = [
    messageOf('old', { at: AT_MS, key: 'k' }),
    messageOf('other', { at: AT_MS, key: 'other' }),
    messageOf('new', { at: LATER_MS, key: 'k' })
  ]
  t.strictSame(plain.sent, ['other', 'new'])
  t.strictSame(page.sent, [old, other, changed])
  t.strictSame(late.sent, [other, changed])
})

test('a client that has the replaced broadcast, and does not get the new one, gets a cancel message', async (t) => {
  const { broadcast, joinTime } = setUp()
  const [one, two] = [joinTime({ room: 1 }), joinTime({ room: 2 })]
  broadcast('old', { at: AT_MS, key: 'k', where: { room: 1 } })
  broadcast('new', { at: AT_MS, key: 'k', where: { room: 2 } })
  const [old, changed] = ['old', 'new'].map((data) => messageOf(data, { at: AT_MS, key: 'k' }))
  t.strictSame([one.sent, two.sent], [[old, cancelOf('k')], [changed]])
})

test('bytes that replace text send a cancel message; text that replaces bytes sends none', async (t) => {
  const { time, broadcast, joinTime } = setUp()
  const page = joinTime()
  broadcast('text', { at: AT_MS, key: 'k' })
  broadcast(Buffer.from('bytes'), { at: AT_MS, key: 'k' })
  broadcast(Buffer.from('more'), { at: AT_MS, key: 'more' })
  broadcast('last', { at: AT_MS, key: 'more' })
  time.advance(5000)
  t.strictSame(page.sent, [
    messageOf('text', { at: AT_MS, key: 'k' }), cancelOf('k'),
    messageOf('last', { at: AT_MS, key: 'more' }), 'bytes'
  ])
})

test('a broadcast with a key and no time replaces the pending one, and is sent at once', async (t) => {
  const { time, broadcast, joinPlain, joinTime } = setUp()
  const [plain, page, other] = [joinPlain(), joinTime(), joinTime({ room: 1 })]
  broadcast('later', { at: AT_MS, key: 'k' })
  broadcast('now', { key: 'k', where: { room: 1 } })
  broadcast('alone', { key: 'nobody has it', where: { room: 1 } })
  time.advance(5000)
  const later = messageOf('later', { at: AT_MS, key: 'k' })
  t.strictSame([plain.sent, page.sent], [[], [later, cancelOf('k')]])
  t.strictSame(other.sent, [
    later, messageOf('now', { key: 'k' }), messageOf('alone', { key: 'nobody has it' })
  ])
})

test('cancel withdraws the broadcast with this key, and returns whether there was one', async (t) => {
  const { time, broadcast, cancel, joinPlain, joinTime } = setUp()
  const [plain, one, two] = [joinPlain(), joinTime({ room: 1 }), joinTime({ room: 2 })]
  broadcast('x', { at: AT_MS, key: 'k', where: { room: 1 } })
  broadcast('y', { at: AT_MS })
  const late = joinTime({ room: 1 })
  one.client.context = {}
  t.strictSame(['other', 'k', 'k'].map(cancel), [false, true, false])
  time.advance(5000)
  const [x, y] = [messageOf('x', { at: AT_MS, key: 'k' }), messageOf('y', { at: AT_MS })]
  t.strictSame([plain.sent, one.sent, two.sent, late.sent],
    [['y'], [x, y, cancelOf('k')], [y], [x, y, cancelOf('k')]])
})

test('a broadcast that has taken effect cannot be withdrawn', async (t) => {
  const { time, broadcast, cancel, joinTime } = setUp()
  const page = joinTime()
  broadcast('x', { at: AT_MS, key: 'k' })
  time.advance(5000)
  t.equal(cancel('k'), false)
  t.equal(page.sent.length, 1)
})

test('cancel refuses an invalid key', async (t) => {
  const { cancel } = setUp()
  t.throws(() => cancel(''), { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
})

test('accepts a broadcast of another server up to 24 days and a minute ahead: its clock may be ahead', async (t) => {
  const { time, broadcast, receive, joinPlain } = setUp()
  const plain = joinPlain()
  const at = NOW_MS + 24 * DAY_MS + 60_000
  t.throws(() => broadcast('x', { at }), { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
  const content = { kind: 'text', text: 'far' } as const
  const fromPeer = {
    registration: 'time', peer: 'ahead', seq: 1, sent: NOW_MS, type: 'broadcast', content
  } as const
  receive({ ...fromPeer, at, where: undefined, except: undefined, key: undefined })
  t.throws(() => receive(
    { ...fromPeer, at: at + 1, where: undefined, except: undefined, key: undefined }
  ), { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
  time.advance(24 * DAY_MS + 59_999)
  t.strictSame(plain.sent, [])
  time.advance(1)
  t.strictSame(plain.sent, ['far'])
})

test('1000 broadcasts may be pending; one that replaces another, or is due, is accepted beyond that', async (t) => {
  const { time, broadcast, joinTime } = setUp()
  const page = joinTime()
  for (let count = 0; count < 1000; count++) broadcast('x', { at: AT_MS, key: `k${count}` })
  t.throws(() => broadcast('x', { at: AT_MS, key: 'k1000' }), {
    code: 'FST_TIME_SOCKET_TOO_MANY_SCHEDULED',
    message: 'no more than 1000 scheduled broadcasts may be pending'
  })
  t.equal(page.sent.length, 1000, 'nothing was sent')
  broadcast('x', { at: LATER_MS, key: 'k7' })
  broadcast('x', { at: NOW_MS })
  broadcast('x', { key: 'at once' })
  t.equal(page.sent.length, 1003)
  time.advance(5000)
  t.doesNotThrow(() => broadcast('x', { at: LATER_MS }))
})

test('follows the clock when it steps, either way, and never sends twice', async (t) => {
  const { time, broadcast, joinPlain } = setUp()
  const plain = joinPlain()
  broadcast('x', { at: AT_MS })
  broadcast('y', { at: NOW_MS + 3_600_000 })
  time.step(3_000_000)
  time.advance(1000)
  t.strictSame(plain.sent, ['x'])
  time.step(-3_000_000)
  time.advance(3_598_999)
  t.strictSame(plain.sent, ['x'])
  time.advance(1)
  t.strictSame(plain.sent, ['x', 'y'])
})

test('continues while no client is connected', async (t) => {
  const { time, broadcast, cancel, joinPlain } = setUp()
  t.equal(broadcast('x', { at: AT_MS, key: 'k' }), 0)
  t.equal(broadcast('y', { at: NOW_MS + DAY_MS }), 0)
  time.advance(5000)
  t.equal(cancel('k'), false)
  time.advance(DAY_MS - 6000)
  const plain = joinPlain()
  time.advance(1000)
  t.strictSame(plain.sent, ['y'])
})

test('close withdraws all broadcasts, logs their number, and leaves no timer', async (t) => {
  const { time, lines, broadcast, cancel, close, joinPlain } = setUp()
  const plain = joinPlain()
  for (const key of ['a', 'b', 'c']) broadcast(key, { at: AT_MS, key })
  close()
  t.strictSame(lines, [[{ count: 3 }, 'scheduled broadcasts withdrawn']])
  t.strictSame([time.pendingCount, cancel('a'), broadcast('d', { at: AT_MS })], [0, false, 0])
  close()
  time.advance(5000)
  t.strictSame([plain.sent, lines.length, time.pendingCount], [[], 1, 0])
})
