import { ServerClock } from 'fastify-time-socket/client'
import type {
  Cancel, ClockState, CloseDetail, Environment, RefusedDetail, ServerClockOptions, TickMessage
} from 'fastify-time-socket/client'
import { describe, expect, test } from 'tstyche'
import { WebSocket as NodeWebSocket } from 'ws'

declare const clock: ServerClock
declare const bids: ServerClock<{ bid: number }>

describe('the constructor', () => {
  test('takes where the time socket is, or a function that tells it', () => {
    expect(ServerClock).type.toBeConstructableWith()
    expect(ServerClock).type.toBeConstructableWith('/time')
    expect(ServerClock).type.toBeConstructableWith(new URL('wss://example.org/time'))
    expect(ServerClock).type.toBeConstructableWith(() => '/time')
    expect(ServerClock).type.toBeConstructableWith(async () => new URL('wss://example.org/time'))
    expect(ServerClock).type.not.toBeConstructableWith(5)
    expect(ServerClock).type.not.toBeConstructableWith(() => undefined)
  })

  test('takes options, all of which may be left out or undefined', () => {
    expect<keyof ServerClockOptions>().type.toBe<
      'protocols' | 'transport' | 'slew' | 'stepThreshold' | 'sync' | 'autoOpen' | 'environment'
    >()
    expect<ServerClockOptions>().type.toBeAssignableFrom({})
    expect<ServerClockOptions>().type.toBeAssignableFrom({
      protocols: undefined, slew: undefined, stepThreshold: undefined, sync: undefined
    })
    expect<ServerClockOptions>().type.toBeAssignableFrom({ sync: { every: 16_000 } })
    expect<ServerClockOptions>().type.not.toBeAssignableFrom({ slew: '5 %' })
    expect(ServerClock).type.not.toBeConstructableWith('/time', { slow: 0.05 })
  })

  test('takes the WebSocket of a browser, and that of ws', () => {
    expect<Partial<Environment>>().type.toBeAssignableFrom({ WebSocket })
    expect<Partial<Environment>>().type.toBeAssignableFrom({ WebSocket: NodeWebSocket })
    expect<Partial<Environment>>().type.toBeAssignableFrom({ fetch, page: window })
    expect<Partial<Environment>>().type.toBeAssignableFrom({
      setTimeout: window.setTimeout, clearTimeout: window.clearTimeout, fetch: window.fetch
    })
    expect<Partial<Environment>>().type.not.toBeAssignableFrom({ WebSocket: EventTarget })
  })
})

describe('a clock', () => {
  test('tells the time, and about itself', () => {
    expect(clock.now()).type.toBe<number>()
    expect(clock.error).type.toBe<number>()
    expect(clock.rtt).type.toBe<number | undefined>()
    expect(clock.state).type.toBe<ClockState>()
    expect(clock.ready({ error: 5, signal: AbortSignal.timeout(5) })).type.toBe<Promise<void>>()
    expect(clock.at(new Date(), () => {})).type.toBe<Cancel>()
    expect(clock.every(1000, () => {})).type.toBe<Cancel>()
    expect(clock.toMonotonic(5)).type.toBe<number>()
    expect(clock.send({ bid: 5 })).type.toBe<boolean>()
  })

  test('shows, and lets nobody set', () => {
    expect<Pick<ServerClock, 'error' | 'state'>>().type.toBe<{
      readonly error: number
      readonly state: ClockState
    }>()
  })

  test('knows what its events tell', () => {
    clock.addEventListener('close', ({ detail }) => {
      expect(detail).type.toBe<CloseDetail>()
    })
    clock.addEventListener('tick', ({ detail }) => {
      expect(detail).type.toBe<TickMessage>()
    })
    clock.addEventListener('message', ({ detail }) => {
      expect(detail).type.toBe<unknown>()
    }, { once: true })
    clock.addEventListener('step', ({ detail: { by } }) => {
      expect(by).type.toBe<number>()
    })
    clock.addEventListener('refused', ({ detail }) => {
      expect(detail).type.toBe<RefusedDetail>()
    })
    bids.addEventListener('message', ({ detail }) => {
      expect(detail).type.toBe<{ bid: number }>()
    })
    clock.addEventListener('other', (event) => {
      expect(event).type.toBe<Event>()
    })
  })
})
