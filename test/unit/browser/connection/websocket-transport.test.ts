import { test } from 'tap'
import { openWebSocket } from '../../../../src/browser/connection/websocket-transport.js'
import type { WebSocketOptions } from '../../../../src/browser/connection/websocket-transport.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'
import { setUpClock, setUpSynced } from '../../../helpers/fakes/clock-set-up.js'

/** Messages that must not affect the estimate of a server's clock. */
const HOSTILE: readonly unknown[] = [
  '', 'null', '1', '[]', '{}', '{', '"hello"', '\u0000', '{"type":"__proto__"}',
  '{"type":"constructor"}', '{"type":"toString"}', '{"type":null}', '{"type":{"type":"tick"}}',
  '{"__proto__":{"type":"tick","sent":5}}', '{"type":"tick"}', '{"type":"sync"}',
  { type: 'tick', seq: 0, at: '5', sent: '5', interval: '5', clockSteps: 0 },
  { type: 'tick', seq: 0, at: null, sent: null, interval: null, clockSteps: 0 },
  '{"type":"tick","at":1e999,"sent":1e999,"interval":1e999,"clockSteps":0}',
  '{"type":"tick","at":9e99,"sent":9e99,"interval":9e99,"clockSteps":0}',
  { type: 'tick', sent: [1_795_262_400_000], interval: [], clockSteps: 0 },
  { type: 'sync', id: '5', at: 5, hold: 0, clockSteps: 0 },
  { type: 'sync', id: -1, at: 5, hold: 0, clockSteps: 0 },
  { type: 'sync', id: {}, at: 5, hold: 0, clockSteps: 0 },
  { type: 'sync', id: '__proto__', at: 5, hold: 0, clockSteps: 0 },
  { type: 'cancel' }, { type: 'cancel', key: '__proto__' }, { type: 'cancel', key: {} },
  { type: 'future', at: 5, clockSteps: 17 }
]

test('a clock', async (t) => {
  await t.test('survives anything that a server may send', async (t) => {
    const { world, clock, events, ahead } = await setUpSynced(t)
    const { error } = clock
    for (const message of HOSTILE) {
      world.peer.send(message)
      t.ok(Math.abs(ahead()) <= clock.error && clock.error <= error + 1, JSON.stringify(message))
    }
    t.strictSame([clock.state, events], ['open', []])
  })

  const complete: [type: string, fields: object][] = [
    ['hello', { server: 'other', interval: 5000, clockSteps: 1 }],
    ['tick', { seq: 0, at: 5, sent: 5, interval: 5000, clockSteps: 1 }],
    ['message', { data: 1 }]
  ]
  for (const [type, fields] of complete) {
    for (const missing of Object.keys(fields)) {
      await t.test(`ignores a ${type} without ${missing}`, async (t) => {
        const { world, clock, events } = await setUpSynced(t)
        clock.addEventListener('tick', () => t.fail('is fired'))
        const { error } = clock
        world.peer.send({ type, ...fields, [missing]: undefined })
        t.strictSame([clock.synced, clock.error, events], [true, error, []])
      })
    }
  }

  await t.test('does not fire a message with an invalid time', async (t) => {
    const { world, events } = await setUpSynced(t)
    for (const at of ['5', null, [], {}, true]) world.peer.send({ type: 'message', data: 1, at })
    world.peer.send('{"type":"message","data":1,"at":1e999}')
    await world.advance(1000)
    t.strictSame(events, [])
  })

  await t.test('ignores invalid replies to its own probes', async (t) => {
    const { world, server, clock, ahead } = await setUpClock(t)
    server.serve(world.peer)
    const at = server.now()
    const nonsense = [
      { at: String(at), hold: 0 }, { at, hold: '0' }, { at: null, hold: 0 }, { at }, { hold: 0 },
      { at: 1e300, hold: 0 }, { at, hold: [] }, { at, hold: 0, clockSteps: undefined }
    ]
    let count = 0
    world.peer.onText = (text) => {
      const { id } = JSON.parse(text)
      count++
      world.peer.send({ type: 'sync', id, clockSteps: 0, ...nonsense[count % nonsense.length] })
    }
    await world.advance(1000)
    t.strictSame([count, clock.synced], [8, false])
    t.equal(Math.round(ahead()), 0)
  })

  await t.test('accepts each reply once, and no reply to a probe that it has not sent', async (t) => {
    const { world, server, clock } = await setUpSynced(t)
    const ids = world.peer.received.map((message) => (message as { id: number }).id)
    let count = 0
    clock.addEventListener('sync', () => count++)
    for (const id of [...ids, (ids[0] ?? 0) - 1, (ids[0] ?? 0) + 1000]) {
      world.peer.send({ type: 'sync', id, at: server.now() + 5000, hold: 0, clockSteps: 0 })
    }
    t.equal(count, 0)
  })

  await t.test('forgets the probes of the previous connection', async (t) => {
    const { world, server, clock } = await setUpClock(t)
    const replies: (() => void)[] = []
    server.serve(world.peer)
    world.peer.onText = (text) => {
      const { id } = JSON.parse(text)
      replies.push(() => world.peer.send({ type: 'sync', id, at: 5, hold: 0, clockSteps: 0 }))
    }
    await world.advance(300)
    world.peer.end()
    await world.advance(300)
    world.peer.accept()
    for (const reply of replies) reply()
    t.equal(clock.synced, false)
  })

  await t.test('remembers the latest 64 unanswered probes', async (t) => {
    const sync = { probes: 1, every: 1000 }
    const { world, server, clock } = await setUpClock(t, { clock: { sync } })
    const ids: number[] = []
    server.serve(world.peer)
    world.peer.onText = (text) => ids.push(JSON.parse(text).id)
    for (let second = 0; second < 200; second++) {
      await world.advance(1000)
      world.peer.send({ type: 'tick', seq: 0, at: 5, sent: server.now(), interval: 1000, clockSteps: 0 })
    }
    const asked = ids.splice(0)
    const answered: number[] = []
    let answering = NaN
    clock.addEventListener('sync', () => answered.push(answering))
    for (const id of asked) {
      answering = id
      world.peer.send({ type: 'sync', id, at: server.now(), hold: 0, clockSteps: 0 })
    }
    t.strictSame([asked.length > 64, answered], [true, asked.slice(-64)])
  })

  await t.test('ids stay below 2^31', async (t) => {
    const { world, server } = await setUpClock(t, { world: { random: () => 1 - 2 ** -30 } })
    server.serve(world.peer)
    await world.advance(1000)
    const ids = world.peer.received.map((message) => (message as { id: number }).id)
    t.strictSame(ids, [2 ** 31 - 1, 0, 1, 2, 3, 4, 5, 6])
  })

  await t.test('updates its estimate from ticks, and fires them as events', async (t) => {
    const { world, server, clock } = await setUpSynced(t)
    const { error } = clock
    const ticks: unknown[] = []
    clock.addEventListener('tick', ({ detail }) => ticks.push(detail))
    const tick = { type: 'tick', seq: 7, at: 5, sent: server.now() - 12, interval: 1000, clockSteps: 0 }
    world.peer.send(tick)
    t.strictSame(ticks, [tick])
    await world.advance(1000)
    t.ok(clock.error < error - 2, `${error} became ${clock.error}`)
  })

  await t.test('shows the right time one round trip after a new clockSteps arrives', async (t) => {
    for (const type of ['tick', 'sync']) {
      const { world, server, clock, events, ahead } = await setUpSynced(t)
      await world.advance(type === 'sync' ? 995 : 500)
      server.aheadMs = 3_600_000
      server.clockSteps = 1
      const tick = { seq: 7, at: 5, sent: server.now(), interval: 1000, clockSteps: 1 }
      if (type === 'tick') server.send({ type, ...tick })
      await world.advance(type === 'sync' ? 1000 : 61)
      t.ok(Math.abs(ahead()) <= clock.error && clock.synced, type)
      t.match(events, [['step', { by: Number }]])
    }
  })

  await t.test('has no error bound after a new clockSteps until a probe is answered', async (t) => {
    const { world, server, clock } = await setUpSynced(t)
    server.clockSteps = 1
    server.send({ type: 'tick', seq: 7, at: 5, sent: server.now(), interval: 1000, clockSteps: 1 })
    await world.advance(21)
    t.strictSame([clock.synced, clock.error], [false, Infinity])
    await world.advance(100)
    t.equal(clock.synced, true)
  })

  await t.test('continues when another server answers, and measures the new clock', async (t) => {
    for (const aheadMs of [100, 5000]) {
      const { world, server, clock, events, ahead } = await setUpSynced(t)
      world.peer.end()
      await world.advance(250)
      Object.assign(server, { aheadMs, server: 'other', clockSteps: 0 })
      server.serve(world.peer)
      const before = clock.now()
      await world.advance(21)
      t.ok(Math.abs(clock.now() - before - 21) < 1)
      t.strictSame([clock.synced, clock.error], [false, Infinity])
      await world.advance(3000)
      t.ok(Math.abs(ahead()) <= clock.error && clock.error < 21)
      const steps = events.filter(([name]) => name === 'step')
      t.equal(steps.length, aheadMs > 250 ? 1 : 0)
    }
  })

  await t.test('keeps its estimate when the same server answers', async (t) => {
    const { world, server, clock, ahead } = await setUpSynced(t)
    world.peer.end()
    await world.advance(250)
    server.serve(world.peer)
    await world.advance(21)
    t.ok(clock.synced && Math.abs(ahead()) <= clock.error && clock.error < 21)
  })

  await t.test('delivers bytes as an ArrayBuffer', async (t) => {
    const { world, events } = await setUpSynced(t)
    const { buffer } = new Uint8Array([1, 2])
    world.peer.send(buffer)
    t.strictSame(events, [['message', buffer]])
  })
})

test('a server that only echoes the subprotocol counts as silent, and gets a plain GET', async (t) => {
  const { world, clock, events } = await setUpClock(t)
  world.peer.accept('time.v1')
  world.answer = { status: 404 }
  for (const text of ['2026-11-21T12:00:05.000Z', '{"type":"tick","sent":5}', '{"type":"sync"}']) {
    world.peer.send(text)
  }
  t.strictSame([clock.state, clock.protocol, events], ['connecting', '', []])
  await world.advance(11_000)
  t.match(events, [
    ['close', { code: 1006, reason: 'the server has been silent for too long' }],
    ['refused', { status: 404, code: 'NOT_A_TIME_SOCKET' }]
  ])
})

for (const protocol of ['', 'app.v1']) {
  const agreed = protocol === '' ? 'no subprotocol' : protocol
  test(`a server that agrees on ${agreed} is not a time socket`, async (t) => {
    const { world, clock, events } = await setUpClock(t, { clock: { protocols: ['app.v1'] } })
    world.peer.accept(protocol)
    const reason = 'the server did not accept the subprotocol time.v1'
    await world.advance(0)
    t.strictSame(events, [
      ['close', { code: 1006, reason, retryIn: 250 }],
      ['refused', { status: 101, code: 'NOT_A_TIME_SOCKET' }]
    ])
    t.strictSame([clock.state, world.sockets.alive, world.asked], ['waiting', 0, []])
    await world.advance(250)
    t.equal(world.peers.length, 2)
  })
}

/** A transport over a socket that hands on messages though it was closed, as that of `ws` does. */
function openStub ({ isContradiction = false, isForbidden = false } = {}) {
  const world = createWorld()
  const sent: { id: number }[] = []
  const heard: string[] = []
  const sockets: StubSocket[] = []
  class StubSocket {
    readonly protocol = 'time.v1'
    readonly readyState = 1
    onmessage: (event: { data: string }) => void = () => {}

    constructor () {
      if (isForbidden) throw new Error('SecurityError')
      sockets.push(this)
    }

    send (text: string) { sent.push(JSON.parse(text)) }
    close () {}
  }
  const receive = (message: object) => sockets[0]?.onmessage({ data: JSON.stringify(message) })
  const transport = openWebSocket({
    settings: { environment: world.environment, protocols: [], sync: { probes: 1, every: 60_000 } },
    WebSocket: StubSocket,
    url: 'http://localhost/time',
    budget: () => true,
    patience: 0,
    events: {
      onHello () {},
      onOpen () {},
      onActivity () { heard.push('activity') },
      onMessage () { heard.push('message') },
      onExchange: () => isContradiction,
      onEnd () {}
    }
  } as unknown as WebSocketOptions)
  return { world, sent, heard, transport, receive }
}

test('delivers nothing that arrives after it was closed', async (t) => {
  const { heard, transport, receive } = openStub()
  receive({ type: 'hello', server: 'a', interval: 1000, clockSteps: 0 })
  receive({ type: 'message', data: 1 })
  transport.close()
  receive({ type: 'message', data: 2 })
  t.strictSame(heard, ['activity', 'activity', 'message'])
})

test('has an empty protocol if the WebSocket cannot be constructed', async (t) => {
  t.equal(openStub({ isForbidden: true }).transport.protocol, '')
})

for (const [isContradiction, count] of [[false, 8], [true, 16]] as const) {
  const title = isContradiction ? 'contradicts what is known is followed by' : 'fits is not followed by'
  test(`an answer that ${title} more requests`, async (t) => {
    const { world, sent, receive } = openStub({ isContradiction })
    receive({ type: 'hello', server: 'a', interval: 1000, clockSteps: 0 })
    await world.advance(1000)
    t.equal(sent.length, 8)
    receive({ type: 'sync', id: sent[0]?.id, at: 5, hold: 0, clockSteps: 0 })
    await world.advance(1000)
    t.equal(sent.length, count)
  })
}
