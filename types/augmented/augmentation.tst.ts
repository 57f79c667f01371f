import fastify from 'fastify'
import timeSocket from 'fastify-time-socket'
import type {
  BroadcastOptions, TimeSocket, TimeSocketClient, TimeSocketOptions
} from 'fastify-time-socket'
import { describe, expect, test } from 'tstyche'

interface User { name: string, age?: number }
interface Bidder { bids: number }

declare module 'fastify-time-socket' {
  interface TimeSocketContext extends User {}
  interface TimeSocketNamespaces { auction: TimeSocket<Bidder>, exam: TimeSocket }
}

const app = fastify()

describe('TimeSocketContext, augmented,', () => {
  test('is what the context option must return', () => {
    expect(app.register).type.toBeCallableWith(timeSocket, { context: () => ({ name: 'Ada' }) })
    expect(app.register).type.toBeCallableWith(timeSocket, {
      context: async () => ({ name: 'Ada', age: 36 })
    })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { context: () => ({}) })
    expect(app.register).type.not.toBeCallableWith(timeSocket, { context: () => ({ name: 5 }) })
    expect(app.register).type.not.toBeCallableWith(timeSocket, {
      context: async () => ({ age: 36 })
    })
  })

  test('options of another context register without a cast', () => {
    expect(app.register).type.toBeCallableWith(timeSocket, {} as TimeSocketOptions<Bidder>)
    expect(app.register).type.toBeCallableWith(timeSocket, {} as TimeSocketOptions<unknown>)
  })

  test('is what callbacks get', () => {
    app.register(timeSocket, {
      onConnect (client) {
        expect(client.context.name).type.toBe<string>()
        client.context.age = 36
      },
      onMessage (client) {
        expect(client.context.age).type.toBe<number | undefined>()
      }
    })
  })

  test('is what clients have, and filters see', () => {
    expect(app.timeSocket.clients.get('')?.context.name).type.toBe<string | undefined>()
    app.timeSocket.broadcast('', {
      filter (client) {
        expect(client.context.name).type.toBe<string>()
        return true
      }
    })
    expect(app.timeSocket).type.toBeAssignableTo<TimeSocket<User>>()
  })

  test('is the default of the generic types', () => {
    expect<TimeSocketOptions>().type.toBe<TimeSocketOptions<User>>()
    expect<TimeSocket>().type.toBe<TimeSocket<User>>()
    expect<TimeSocketClient>().type.toBe<TimeSocketClient<User>>()
    expect<BroadcastOptions>().type.toBe<BroadcastOptions<User>>()
  })
})

describe('TimeSocketNamespaces, augmented,', () => {
  test('adds the other time sockets to app.timeSocket', () => {
    expect(app.timeSocket.auction).type.toBe<TimeSocket<Bidder>>()
    expect(app.timeSocket.exam).type.toBe<TimeSocket>()
    expect(app.timeSocket).type.not.toHaveProperty('lottery')
  })

  test('gives each its own context', () => {
    const [bidder] = app.timeSocket.auction.clients.values()
    expect(bidder).type.toBe<TimeSocketClient<Bidder> | undefined>()
    app.timeSocket.auction.broadcast('', {
      filter: (client) => {
        expect(client.context).type.toBe<Bidder>()
        return client.context.bids > 0
      }
    })
  })
})
