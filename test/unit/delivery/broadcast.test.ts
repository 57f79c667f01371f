import { inspect } from 'node:util'
import { test } from 'tap'
import type { BroadcastOptions, TimeSocket } from '../../../src/index.js'
import { createTimeApp } from '../../helpers/network/app.js'
import { inject } from '../../helpers/network/peer.js'
import type { Peer } from '../../helpers/network/peer.js'

interface Seat {
  name: string
  room: number | null
  vip: boolean
}

/** Four clients: Ada and Bob in room 1, Cleo in room 2, Dan nowhere. Ada and Dan are VIPs. */
async function setUp (t: Parameters<typeof createTimeApp>[0]) {
  const { app, log } = await createTimeApp<Seat>(t, {
    immediate: false,
    context: ({ headers: { name, room, vip } }) => ({
      name: String(name), room: room === undefined ? null : Number(room), vip: vip === 'yes'
    })
  })
  const peers: Record<string, Peer> = {
    Ada: await inject(app, '/time', { headers: { name: 'Ada', room: '1', vip: 'yes' } }),
    Bob: await inject(app, '/time', { headers: { name: 'Bob', room: '1' } }),
    Cleo: await inject(app, '/time', { headers: { name: 'Cleo', room: '2' } }),
    Dan: await inject(app, '/time', { headers: { name: 'Dan', vip: 'yes' } })
  }
  const timeSocket = app.timeSocket as unknown as TimeSocket<Seat>
  const idOf = (name: string) =>
    [...timeSocket.clients.values()].find(({ context }) => context.name === name)?.id ?? ''
  return { app, log, peers, timeSocket, idOf }
}

/** Whose last message it was, after everything sent before has arrived. */
async function whoGot (peers: Record<string, Peer>, timeSocket: TimeSocket<Seat>, message: string) {
  timeSocket.broadcast('end')
  const names = Object.keys(peers)
  for (const name of names) {
    await peers[name]?.received(1)
  }
  return names.filter((name) => peers[name]?.messages.includes(message))
}

type Choice = (idOf: (name: string) => string) => BroadcastOptions<Seat>

const choices: [title: string, choice: Choice, names: string[]][] = [
  ['all clients without options', () => ({}), ['Ada', 'Bob', 'Cleo', 'Dan']],
  ['all clients with an empty where', () => ({ where: {} }), ['Ada', 'Bob', 'Cleo', 'Dan']],
  ['all clients with undefined options', () =>
    ({ where: undefined, except: undefined, filter: undefined, local: undefined }), ['Ada', 'Bob', 'Cleo', 'Dan']],
  ['clients with a field', () => ({ where: { room: 1 } }), ['Ada', 'Bob']],
  ['clients with one of several values', () => ({ where: { room: [2, null] } }), ['Cleo', 'Dan']],
  ['clients with null', () => ({ where: { room: null } }), ['Dan']],
  ['clients with all fields', () => ({ where: { room: 1, vip: true } }), ['Ada']],
  ['no client for a value of another type', () => ({ where: { room: '1' } }), []],
  ['no client for an empty list of values', () => ({ where: { room: [] } }), []],
  ['no client for a missing field', () => ({ where: { seat: null } }), []],
  ['no client for a field of Object.prototype', () => ({ where: { constructor: 'Object' } }), []],
  ['all clients but one', (idOf) => ({ except: idOf('Bob') }), ['Ada', 'Cleo', 'Dan']],
  ['all clients but some', (idOf) => ({ except: [idOf('Bob'), idOf('Dan')] }), ['Ada', 'Cleo']],
  ['all clients but one that is not connected', () => ({ except: 'nobody' }), ['Ada', 'Bob', 'Cleo', 'Dan']],
  ['clients that the filter chooses', () => ({ filter: ({ context }) => context.vip }), ['Ada', 'Dan']],
  ['clients that meet all conditions', (idOf) =>
    ({ where: { vip: true }, except: idOf('Dan'), filter: () => true, local: true }), ['Ada']]
]

for (const [title, choice, names] of choices) {
  test(`sends to ${title}, and returns their number`, async (t) => {
    const { peers, timeSocket, idOf } = await setUp(t)
    t.equal(timeSocket.broadcast('news', choice(idOf)), names.length)
    t.strictSame(await whoGot(peers, timeSocket, 'news'), names)
  })
}

type Refusal = [title: string, data: unknown, options: unknown, message: string]

const refusals: Refusal[] = [
  ['undefined', undefined, {}, 'the message must be a string, bytes or a JSON value, got undefined'],
  ['a bigint', 1n, {}, 'the message must be a string, bytes or a JSON value, got 1n'],
  ['options that are null', 'x', null, 'the second argument of broadcast must be a plain object, got null'],
  ['options that are an array', 'x', [], 'the second argument of broadcast must be a plain object, got []'],
  ['options that are text', 'x', 'local', 'the second argument of broadcast must be a plain object, got \'local\''],
  ['an unknown option', 'x', { rooms: 1 }, 'the broadcast option "rooms" must be one of where, except, filter, local, at, key, got 1'],
  ['a where that is a function', 'x', { where: () => true }, 'the broadcast option "where" must be a plain object, got [Function: where]'],
  ['a where that is null', 'x', { where: null }, 'the broadcast option "where" must be a plain object, got null'],
  ['a where that is an array', 'x', { where: [1] }, 'the broadcast option "where" must be a plain object, got [ 1 ]'],
  ...[undefined, NaN, Infinity, {}, [[1]], [undefined], 1n].map((value) => [
    `a where with ${inspect(value)}`, 'x', { where: { room: value } },
    'the broadcast option "where.room" must be a string, a finite number, a boolean or null, or an array of these, got '
  ] satisfies Refusal as Refusal),
  ['a where that is a Map', 'x', { where: new Map([['room', 2]]) }, 'the broadcast option "where" must be a plain object, got Map(1)'],
  ['a where that is a promise', 'x', { where: Promise.resolve({ room: 2 }) }, 'the broadcast option "where" must be a plain object, got Promise'],
  ['a where whose fields are inherited', 'x', { where: Object.create({ room: 2 }) }, 'the broadcast option "where" must be a plain object, got {}'],
  ['options that are a promise', 'x', Promise.resolve({}), 'the second argument of broadcast must be a plain object, got Promise'],
  ['an except that is a number', 'x', { except: 1 }, 'the broadcast option "except" must be a client id or an array of client ids, got 1'],
  ['an except with a hole', 'x', { except: [undefined] }, 'the broadcast option "except" must be a client id or an array of client ids, got [ undefined ]'],
  ['an except that is a client', 'x', { except: { id: 'x' } }, 'the broadcast option "except" must be a client id or an array of client ids, got { id: \'x\' }'],
  ['a filter that is not a function', 'x', { filter: 'vip' }, 'the broadcast option "filter" must be a function, got \'vip\''],
  ['an asynchronous filter', 'x', { filter: async () => false }, 'the result of the broadcast option "filter" must be a boolean, got Promise'],
  ['an asynchronous filter that rejects', 'x', { filter: async () => { throw new Error('no') } },
    'the result of the broadcast option "filter" must be a boolean, got Promise'],
  ['a local that is not a boolean', 'x', { local: 1 }, 'the broadcast option "local" must be a boolean, got 1']
]

for (const [title, data, options, message] of refusals) {
  test(`refuses ${title}, and sends nothing`, async (t) => {
    const { peers, timeSocket } = await setUp(t)
    t.throws(() => timeSocket.broadcast(data as string, options as BroadcastOptions<Seat>), {
      code: 'FST_TIME_SOCKET_INVALID_ARGUMENT', message: new RegExp(`^${escape(message)}`)
    })
    await whoGot(peers, timeSocket, '')
    for (const peer of Object.values(peers)) t.strictSame(peer.messages, ['end'])
  })
}

test('broadcast throws the error of a filter, and sends nothing', async (t) => {
  const { peers, timeSocket } = await setUp(t)
  const error = new Error('no database')
  let count = 0
  t.throws(() => timeSocket.broadcast('news', {
    filter () {
      if (++count === 3) throw error
      return true
    }
  }), error)
  t.strictSame(await whoGot(peers, timeSocket, 'news'), [])
})

test('sends bytes as a binary message, JSON values as text', async (t) => {
  const { peers, timeSocket } = await setUp(t)
  timeSocket.broadcast(Buffer.of(1, 2))
  timeSocket.broadcast({ sold: true })
  t.strictSame(await peers.Ada?.received(2), [Buffer.of(1, 2), '{"sold":true}'])
})

test('each client gets messages in the order of the calls', async (t) => {
  const { peers, timeSocket, idOf } = await setUp(t)
  const ada = timeSocket.clients.get(idOf('Ada'))
  const expected: string[] = []
  for (let count = 0; count < 50; count++) {
    timeSocket.broadcast(`all ${count}`)
    ada?.send(`you ${count}`)
    expected.push(`all ${count}`, `you ${count}`)
  }
  t.strictSame(await peers.Ada?.received(100), expected)
})

test('does not count clients that are closing, and clients that join later do not get the message', async (t) => {
  const { app, timeSocket, idOf } = await setUp(t)
  timeSocket.clients.get(idOf('Dan'))?.close()
  t.equal(timeSocket.broadcast('news'), 3)
  const late = await inject(app)
  timeSocket.broadcast('end')
  t.strictSame(await late.received(1), ['end'])
})

test('matches inherited fields of a context, and accepts a context that is not an object', async (t) => {
  class Guest {
    get room () { return 7 }
  }
  const contexts = [new Guest(), null, undefined, 'text', 1]
  const { app, timeSocket } = await createTimeApp<unknown>(t, { context: () => contexts.shift() })
  for (let count = 0; count < 5; count++) await inject(app)
  t.equal(timeSocket.broadcast('x', { where: { room: 7 } }), 1)
  t.equal(timeSocket.broadcast('x'), 5)
})

test('a client whose context cannot be read is left out, and the error is logged', async (t) => {
  const contexts = [{ get room (): number { throw new Error('no room') } }, { room: 7 }]
  const { app, log, timeSocket } = await createTimeApp<unknown>(t, {
    immediate: false, context: () => contexts.shift()
  })
  const [, good] = [await inject(app), await inject(app)]
  t.equal(timeSocket.broadcast('x', { where: { room: 7 } as {} }), 1)
  t.strictSame(await good?.received(1), ['x'])
  t.strictSame(log.messages('error'), ['reading the context of a client failed'])
})

test('returns 0 once closing, but still refuses invalid arguments', async (t) => {
  const { timeSocket } = await setUp(t)
  const closed = timeSocket.close()
  t.equal(timeSocket.broadcast('news'), 0)
  t.throws(() => timeSocket.broadcast(undefined as never), { code: 'FST_TIME_SOCKET_INVALID_ARGUMENT' })
  await closed
  t.equal(timeSocket.broadcast('news'), 0)
})

function escape (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
