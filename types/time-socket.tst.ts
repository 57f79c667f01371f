import type {
  BroadcastOptions, CloseCause, CloseInfo, Json, Message, Stats, Tick, TickDelivery, TimeSocket,
  TimeSocketClient
} from 'fastify-time-socket'
import { describe, expect, test } from 'tstyche'

interface User { name: string, age?: number | null, tags?: string[] }
interface Tree { name?: string, children: Tree[] }

declare const timeSocket: TimeSocket<User>
declare const client: TimeSocketClient<User>
declare const tick: Tick
declare const tree: Tree

describe('TimeSocket', () => {
  test('shows the clients by id, and lets nobody change the map', () => {
    expect(timeSocket.clients).type.toBe<ReadonlyMap<string, TimeSocketClient<User>>>()
    expect(timeSocket.clients.get('')).type.toBe<TimeSocketClient<User> | undefined>()
    expect(timeSocket.clients).type.not.toHaveProperty('set')
    expect(timeSocket.clients).type.not.toHaveProperty('delete')
    expect(timeSocket.clients).type.not.toHaveProperty('clear')
  })

  test('tells about itself', () => {
    expect(timeSocket.url).type.toBe<string>()
    expect(timeSocket.namespace).type.toBe<string | undefined>()
    expect(timeSocket.lastTick).type.toBe<Tick | undefined>()
    expect(timeSocket.now()).type.toBe<number>()
    expect(timeSocket.stats()).type.toBe<Stats>()
    expect(timeSocket.stats().refused.origin).type.toBe<number>()
    expect(timeSocket.stats().closed.slow).type.toBe<number>()
    expect(timeSocket.close()).type.toBe<Promise<void>>()
  })

  test('cannot be assigned to', () => {
    // @ts-expect-error Cannot assign to 'clients' because it is a read-only property.
    timeSocket.clients = new Map()
    // @ts-expect-error Cannot assign to 'url' because it is a read-only property.
    timeSocket.url = '/'
    // @ts-expect-error Cannot assign to 'namespace' because it is a read-only property.
    timeSocket.namespace = 'auction'
    // @ts-expect-error Cannot assign to 'lastTick' because it is a read-only property.
    timeSocket.lastTick = undefined
  })
})

describe('broadcast', () => {
  test('takes text, bytes and JSON values', () => {
    expect(timeSocket.broadcast('text')).type.toBe<number>()
    expect(timeSocket.broadcast).type.toBeCallableWith('')
    expect(timeSocket.broadcast).type.toBeCallableWith(new Uint8Array(8))
    expect(timeSocket.broadcast).type.toBeCallableWith(Buffer.from('bytes'))
    expect(timeSocket.broadcast).type.toBeCallableWith(new ArrayBuffer(8))
    expect(timeSocket.broadcast).type.toBeCallableWith(new DataView(new ArrayBuffer(8)))
    expect(timeSocket.broadcast).type.toBeCallableWith({ bid: 5, by: { name: null } })
    expect(timeSocket.broadcast).type.toBeCallableWith({ bid: undefined })
    expect(timeSocket.broadcast).type.toBeCallableWith([1, 'two', [true]])
    expect(timeSocket.broadcast).type.toBeCallableWith(5)
    expect(timeSocket.broadcast).type.toBeCallableWith(true)
    expect(timeSocket.broadcast).type.toBeCallableWith(null)
  })

  test('takes readonly values, type aliases, interfaces and what has a toJSON', () => {
    expect(timeSocket.broadcast).type.toBeCallableWith([1, 2] as const)
    expect(timeSocket.broadcast).type.toBeCallableWith(tick as Pick<Tick, 'seq' | 'at'>)
    expect(timeSocket.broadcast).type.toBeCallableWith(tick)
    expect(timeSocket.broadcast).type.toBeCallableWith([{ tick }, { bid: 5 }])
    expect(timeSocket.broadcast).type.toBeCallableWith(tree)
    expect(timeSocket.broadcast).type.toBeCallableWith(new Date())
    expect(timeSocket.broadcast).type.toBeCallableWith({ endsAt: new Date() })
    expect(timeSocket.broadcast).type.toBeCallableWith({} as Message)
    expect(timeSocket.broadcast).type.toBeCallableWith({} as Tick | Uint8Array)
  })

  test('takes values typed as an interface, with optional and nested fields', () => {
    interface Bidder { readonly name: string, nick?: string }
    interface Bid { amount: number, by: Bidder, history: readonly Bid[], note?: string | null }
    expect(timeSocket.broadcast).type.toBeCallableWith({} as Bid)
    expect(timeSocket.broadcast).type.toBeCallableWith([{} as Bid])
    expect(client.send).type.toBeCallableWith({} as Bid)
    interface Wrong { onBid: () => void }
    expect(timeSocket.broadcast).type.not.toBeCallableWith({} as Wrong)
  })

  test('takes nothing that JSON cannot express', () => {
    expect(timeSocket.broadcast).type.not.toBeCallableWith()
    expect(timeSocket.broadcast).type.not.toBeCallableWith(undefined)
    expect(timeSocket.broadcast).type.not.toBeCallableWith(1n)
    expect(timeSocket.broadcast).type.not.toBeCallableWith({ bid: 1n })
    expect(timeSocket.broadcast).type.not.toBeCallableWith([undefined])
    expect(timeSocket.broadcast).type.not.toBeCallableWith(Symbol('bid'))
    expect(timeSocket.broadcast).type.not.toBeCallableWith(() => 'text')
    expect(timeSocket.broadcast).type.not.toBeCallableWith({ bid: () => 5 })
    expect(timeSocket.broadcast).type.not.toBeCallableWith(new Map())
    expect(timeSocket.broadcast).type.not.toBeCallableWith({ bids: new Set([1]) })
    expect(timeSocket.broadcast).type.not.toBeCallableWith(/x/)
    expect(timeSocket.broadcast).type.not.toBeCallableWith(new Error('x'))
    expect(timeSocket.broadcast).type.not.toBeCallableWith({} as { [key: string]: unknown })
    expect(timeSocket.broadcast).type.not.toBeCallableWith({} as unknown)
    expect(timeSocket.broadcast).type.not.toBeCallableWith(Promise.resolve('text'))
  })

  test('takes where, except, filter and local', () => {
    expect<BroadcastOptions<User>>().type.toBeAssignableFrom({})
    expect(timeSocket.broadcast).type.toBeCallableWith('', { where: { name: 'A', age: [1, null] } })
    expect(timeSocket.broadcast).type.toBeCallableWith('', { except: client.id })
    expect(timeSocket.broadcast).type.toBeCallableWith('', { except: [client.id] })
    expect(timeSocket.broadcast).type.toBeCallableWith('', { except: ['', ''] as const })
    expect(timeSocket.broadcast).type.toBeCallableWith('', { local: true })
    expect(timeSocket.broadcast).type.toBeCallableWith('', {
      where: undefined, except: undefined, filter: undefined, local: undefined
    })
  })

  test('takes at and key', () => {
    expect(timeSocket.broadcast).type.toBeCallableWith('', { at: 1_795_262_400_000, key: 'lot' })
    expect(timeSocket.broadcast).type.toBeCallableWith('', { at: new Date() })
    expect(timeSocket.broadcast).type.toBeCallableWith('', { at: undefined, key: undefined })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { at: '2027-01-01' })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { at: 1n })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { at: null })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { key: 7 })
  })

  test('is withdrawn by its key', () => {
    expect(timeSocket.cancel('lot')).type.toBe<boolean>()
    expect(timeSocket.cancel).type.not.toBeCallableWith()
    expect(timeSocket.cancel).type.not.toBeCallableWith(7)
  })

  test('shows its filter typed clients', () => {
    timeSocket.broadcast('', {
      filter (client) {
        expect(client).type.toBe<TimeSocketClient<User>>()
        return client.context.name === 'Ada'
      }
    })
  })

  test('takes no other options, and no wrong ones', () => {
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', null)
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { excpet: '' })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: { name: { first: '' } } })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: { name: undefined } })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: { age: 1n } })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: { age: '5' } })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: { agee: 5 } })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: { name: ['A', 5] } })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: { tags: ['a'] } })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { where: 'Ada' })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { except: 5 })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { except: client })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { filter: true })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { filter: async () => true })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { filter: () => 1 })
    expect(timeSocket.broadcast).type.not.toBeCallableWith('', { local: 'yes' })
  })
})

describe('TimeSocketClient', () => {
  test('tells who it is', () => {
    expect(client.id).type.toBe<string>()
    expect(client.ip).type.toBe<string>()
    expect(client.port).type.toBe<number>()
    expect(client.protocol).type.toBe<string>()
    expect(client.connectedAt).type.toBe<number>()
    expect(client.skippedTicks).type.toBe<number>()
    expect(client.rtt).type.toBe<number | undefined>()
    expect(client.context).type.toBe<User>()
  })

  test('has a context that may be changed and replaced', () => {
    client.context.name = 'Ada'
    client.context = { name: 'Grace' }
    // @ts-expect-error Property 'name' is missing
    client.context = {}
  })

  test('has nothing else that may be assigned to', () => {
    // @ts-expect-error Cannot assign to 'id' because it is a read-only property.
    client.id = ''
    // @ts-expect-error Cannot assign to 'ip' because it is a read-only property.
    client.ip = ''
    // @ts-expect-error Cannot assign to 'port' because it is a read-only property.
    client.port = 0
    // @ts-expect-error Cannot assign to 'protocol' because it is a read-only property.
    client.protocol = ''
    // @ts-expect-error Cannot assign to 'connectedAt' because it is a read-only property.
    client.connectedAt = 0
    // @ts-expect-error Cannot assign to 'skippedTicks' because it is a read-only property.
    client.skippedTicks = 0
  })

  test('sends what broadcast sends', () => {
    expect(client.send('text')).type.toBe<boolean>()
    expect(client.send).type.toBeCallableWith({ bid: 5 })
    expect(client.send).type.not.toBeCallableWith(undefined)
    expect(client.send).type.not.toBeCallableWith(1n)
    expect(client.send).type.not.toBeCallableWith(() => 'text')
  })

  test('is closed with a code and a reason, or terminated', () => {
    expect(client.close).type.toBeCallableWith()
    expect(client.close).type.toBeCallableWith(4403)
    expect(client.close).type.toBeCallableWith(4403, 'do not come back')
    expect(client.close).type.not.toBeCallableWith('do not come back')
    expect(client.close).type.not.toBeCallableWith(4403, { reason: 'do not come back' })
    expect(client.terminate).type.toBeCallableWith()
    expect(client.terminate).type.not.toBeCallableWith(4403)
  })

  test('does not show its socket', () => {
    expect(client).type.not.toHaveProperty('socket')
    expect(client).type.not.toHaveProperty('ws')
  })

  test('of one context is none of another', () => {
    expect<TimeSocketClient<User>>().type.not.toBeAssignableTo<TimeSocketClient<{ age: number }>>()
  })
})

test('Tick is readonly', () => {
  expect<Tick>().type.toBe<{
    readonly seq: number
    readonly at: number
    readonly sent: number
    readonly interval: number
    readonly clockSteps: number
  }>()
  // @ts-expect-error Cannot assign to 'at' because it is a read-only property.
  tick.at = 0
})

test('TickDelivery is readonly', () => {
  expect<TickDelivery>().type.toBe<{ readonly delivered: number, readonly skipped: number }>()
})

test('CloseInfo tells code, reason and one of the known causes', () => {
  expect<CloseInfo>().type.toBe<{
    readonly code: number
    readonly reason: string
    readonly cause: CloseCause
  }>()
  expect<CloseCause>().type.toBeAssignableFrom<
    'client' | 'application' | 'shutdown' | 'slow' | 'heartbeat' | 'expired' | 'rate' | 'size' |
    'protocol' | 'callback' | 'network'
  >()
  expect<CloseCause>().type.not.toBeAssignableFrom<string>()
})

test('Message is JSON or bytes', () => {
  expect<Message>().type.toBe<Json | ArrayBuffer | ArrayBufferView>()
})
