import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/** How late one direction is. */
export interface Delay {
  /** Milliseconds by which everything is late, at least. */
  delayMs: number
  /** Milliseconds by which it may be later, at random; what was sent first still comes first. */
  jitterMs: number
}

/** A network between clients and a server. All of it may be changed at any time. */
export interface DelayingProxy {
  readonly port: number
  /** From clients to the server. */
  readonly up: Delay
  /** From the server to clients. */
  readonly down: Delay
  /** How many connections there are. */
  readonly connectionCount: number
  /** Nothing passes any more, but is kept. @returns lets it all pass again, in order. */
  freeze (): () => void
  /** From now on nothing passes, nor is it kept: not even the end of a connection. New ones do. */
  swallow (): void
  /** Resets all connections. */
  cut (): void
}

export interface DelayingProxyOptions {
  up?: Partial<Delay>
  down?: Partial<Delay>
  /** From 0 to 1, for the jitter. Default `Math.random`. */
  random?: () => number
}

/** Something that passes the network, and when it is to arrive. */
interface Parcel {
  readonly dueMs: number
  readonly deliver: () => void
}

/** Starts a TCP proxy on a free port, for as long as the test lasts. */
export async function createDelayingProxy (
  t: Test, targetPort: number, { up, down, random = Math.random }: DelayingProxyOptions = {}
): Promise<DelayingProxy> {
  const lines = new Set<Line>()
  const delays = {
    up: { delayMs: 0, jitterMs: 0, ...up },
    down: { delayMs: 0, jitterMs: 0, ...down }
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const join = (from: Socket, to: Socket, delay: Delay) => {
      const line = createLine(from, to, () => delay.delayMs + delay.jitterMs * random())
      lines.add(line)
      from.once('close', () => lines.delete(line))
    }
    join(client, target, delays.up)
    join(target, client, delays.down)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const { from } of lines) from.destroy()
    server.close()
  })

  return {
    ...delays,
    port: (server.address() as AddressInfo).port,
    get connectionCount () {
      return lines.size / 2
    },
    freeze () {
      const frozen = [...lines]
      for (const line of frozen) line.freeze(true)
      return () => { for (const line of frozen) line.freeze(false) }
    },
    swallow () {
      for (const line of lines) line.swallow()
    },
    cut () {
      for (const { from } of lines) from.resetAndDestroy()
    }
  }
}

/** One direction of one connection. */
interface Line {
  readonly from: Socket
  freeze (isFrozen: boolean): void
  swallow (): void
}

function createLine (from: Socket, to: Socket, delayMs: () => number): Line {
  const parcels: Parcel[] = []
  let lastDueMs = 0
  let timer: NodeJS.Timeout | undefined
  let isFrozen = false
  let isSwallowing = false

  function send (deliver: () => void): void {
    if (isSwallowing) return
    lastDueMs = Math.max(lastDueMs, performance.now() + delayMs())
    parcels.push({ dueMs: lastDueMs, deliver })
    if (parcels.length === 1) arm()
  }

  function arm (): void {
    clearTimeout(timer)
    const [next] = parcels
    if (next && !isFrozen) timer = setTimeout(pass, Math.max(0, next.dueMs - performance.now()))
  }

  /** A timer may be a millisecond early: what is due by then passes too. */
  function pass (): void {
    while (parcels[0] && parcels[0].dueMs <= performance.now() + 0.5) parcels.shift()?.deliver()
    arm()
  }

  from.on('data', (chunk) => send(() => to.write(chunk)))
  from.on('end', () => send(() => to.end()))
  from.on('close', () => send(() => to.destroy()))
  from.on('error', () => {})
  return {
    from,
    freeze (value) {
      isFrozen = value
      arm()
    },
    swallow () {
      isSwallowing = true
      parcels.length = 0
    }
  }
}
