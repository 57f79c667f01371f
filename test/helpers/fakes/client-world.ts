import type {
  Environment, PlainAnswer, PlainRequest, Socket
} from '../../../src/browser/environment.js'

/** One attempt to connect, seen from the server. */
export interface Peer {
  readonly url: string
  /** When it began, of `trueMs`. */
  readonly startedMs: number
  readonly offered: readonly string[]
  /** What the client has sent, in order; texts are parsed. */
  readonly received: unknown[]
  /** With which code the client has closed; undefined: not. */
  readonly closedWith: number | undefined
  /** Lets the client in. */
  accept (protocol?: string): void
  /** Sends a message: texts and bytes as they are, anything else as JSON. */
  send (data: unknown): void
  /** Ends the connection, or refuses it. */
  end (code?: number, reason?: string): void
  /** Fires `error` without the `close` that should follow. */
  fail (): void
  /** Bytes that the network does not take; undefined: the runtime does not say. */
  bufferedAmount: number | undefined
  /** Called with each text that the client sends. */
  onText: (text: string) => void
}

/** A simulated device: its clocks, timers, network and page. */
export interface World {
  readonly environment: Environment
  readonly peers: Peer[]
  /** The latest attempt. @throws if there is none. */
  readonly peer: Peer
  /** The addresses that were asked by a plain `GET`, and how. */
  readonly asked: string[]
  readonly requests: PlainRequest[]
  /** How many sockets are connecting or open, and the most there ever were. */
  readonly sockets: { alive: number, most: number }
  readonly timers: { alive: number, most: number }
  readonly page: EventTarget & { origin: string, document: { hidden: boolean, baseURI: string } }
  /** What a plain `GET` is answered; undefined: nothing, as if there were no network. */
  answer: WorldAnswer | undefined
  /** Whether pages may read an answer; where not, a request with `no-cors` still succeeds. */
  isReadable: boolean
  /** Milliseconds that a request takes, each way. */
  requestMs: number
  /** Milliseconds that have really passed. */
  readonly trueMs: number
  /** The time of a server whose clock is right. */
  serverNow (): number
  /** Calls back later, whatever the device does: for what is outside of it. */
  later (ms: number, callback: () => void): void
  /** Lets time pass. */
  advance (ms: number): Promise<void>
  /** The device sleeps: its monotonic clock stands still, and its timers. */
  sleep (ms: number): void
  /** Sets the device's clock. */
  step (ms: number): void
}

export interface WorldAnswer {
  status: number
  type?: string
  retryAfter?: string
  date?: string
  /** A function is called when the request arrives, with the id that it carries. */
  body?: unknown
}

export interface WorldOptions {
  /** By how much the device's clock is ahead of the server's. */
  aheadMs?: number
  random?: () => number
}

export const START_MS = 1_795_262_400_000

interface Pending {
  dueMs: number
  /** Of the device: it stands still while that sleeps. */
  readonly isOurs: boolean
  callback: () => void
}

export function createWorld ({ aheadMs = 0, random = () => 0.5 }: WorldOptions = {}): World {
  let trueMs = 0
  let sleptMs = 0
  let steppedMs = aheadMs
  const pending = new Set<Pending>()
  const peers: Peer[] = []
  const asked: string[] = []
  const sockets = { alive: 0, most: 0 }
  const timers = { alive: 0, most: 0 }
  const requests: PlainRequest[] = []
  const page = Object.assign(new EventTarget(), {
    origin: 'https://example.org',
    document: { hidden: false, baseURI: 'https://example.org/auction/lot.html?id=5' }
  })

  const monotonic = () => trueMs - sleptMs + 1234.5

  class FakeSocket implements Socket {
    readonly url: string
    readonly peer: Peer
    onopen: unknown
    onmessage: unknown
    onclose: unknown
    onerror: unknown
    readyState = 0
    protocol = ''
    binaryType = 'blob'

    constructor (url: string, offered: string[]) {
      this.url = url
      sockets.most = Math.max(sockets.most, ++sockets.alive)
      this.peer = this.#createPeer(url, offered)
      peers.push(this.peer)
    }

    get bufferedAmount (): number | undefined {
      return this.peer.bufferedAmount
    }

    send (data: unknown): void {
      this.peer.received.push(typeof data === 'string' ? JSON.parse(data) : data)
      if (typeof data === 'string') this.peer.onText(data)
    }

    close (code?: number): void {
      if (this.readyState >= 2) return
      this.readyState = 2
      sockets.alive--
      Object.assign(this.peer, { closedWith: code })
    }

    #fire (type: 'open' | 'message' | 'close' | 'error', fields: object = {}): void {
      const listener = this[`on${type}`]
      if (typeof listener === 'function') listener({ type, ...fields })
    }

    #createPeer (url: string, offered: string[]): Peer {
      return {
        url,
        startedMs: trueMs,
        offered,
        received: [],
        closedWith: undefined,
        bufferedAmount: 0,
        onText () {},
        accept: (protocol = offered[0] ?? '') => {
          if (this.readyState !== 0) return
          this.readyState = 1
          this.protocol = protocol
          this.#fire('open')
        },
        send: (data) => {
          const isRaw = typeof data === 'string' || data instanceof ArrayBuffer
          if (this.readyState === 1) this.#fire('message', { data: isRaw ? data : JSON.stringify(data) })
        },
        fail: () => this.#fire('error'),
        end: (code = 1006, reason = '') => {
          if (this.readyState >= 2) return
          this.readyState = 3
          sockets.alive--
          if (code === 1006) this.#fire('error')
          this.#fire('close', { code, reason })
        }
      }
    }
  }

  function count (): void {
    timers.alive = [...pending].filter(({ isOurs }) => isOurs).length
    timers.most = Math.max(timers.most, timers.alive)
  }

  /** Waits until every chain of promises has come to its end. */
  async function settle (): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }

  const world: World = {
    environment: {
      WebSocket: FakeSocket,
      async fetch (url, request) {
        asked.push(url)
        requests.push(request)
        const pass = () => new Promise<void>((resolve) => world.later(world.requestMs, resolve))
        if (world.requestMs > 0) await pass()
        const { answer, isReadable } = world
        if (answer === undefined) throw new TypeError('fetch failed')
        const read = toAnswer(answer, request)
        if (world.requestMs > 0) await pass()
        if (!isReadable && request.mode !== 'no-cors') throw new TypeError('CORS')
        return read
      },
      monotonic,
      wall: () => Math.floor(START_MS + trueMs + steppedMs),
      setTimeout (callback, ms) {
        const entry = { dueMs: trueMs + Math.max(0, ms), callback, isOurs: true }
        pending.add(entry)
        count()
        return entry
      },
      clearTimeout (timer) {
        pending.delete(timer as Pending)
        count()
      },
      random,
      page
    },
    peers,
    get peer () {
      const peer = peers.at(-1)
      if (peer === undefined) throw new Error('nobody has connected')
      return peer
    },
    asked,
    requests,
    sockets,
    timers,
    page,
    answer: undefined,
    isReadable: true,
    requestMs: 0,
    get trueMs () {
      return trueMs
    },
    serverNow: () => START_MS + trueMs,
    later (ms, callback) {
      pending.add({ dueMs: trueMs + ms, callback, isOurs: false })
    },
    async advance (ms) {
      const untilMs = trueMs + ms
      await settle()
      for (;;) {
        const [next] = [...pending].sort((a, b) => a.dueMs - b.dueMs)
        if (next === undefined || next.dueMs > untilMs) break
        pending.delete(next)
        count()
        trueMs = Math.max(trueMs, next.dueMs)
        next.callback()
        await settle()
      }
      trueMs = Math.max(trueMs, untilMs)
    },
    sleep (ms) {
      trueMs += ms
      sleptMs += ms
      for (const entry of pending) if (entry.isOurs) entry.dueMs += ms
    },
    step (ms) {
      steppedMs += ms
    }
  }
  return world
}

function toAnswer (answer: WorldAnswer, { headers }: PlainRequest): PlainAnswer {
  const { status, type = 'basic', retryAfter, date, body } = answer
  const id = Number(/;id=(\d+)$/.exec(headers?.['accept'] ?? '')?.[1])
  const content = typeof body === 'function' ? body(id) : body
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? {})
  const all = new Map([['retry-after', retryAfter], ['date', date]])
  return {
    status,
    type,
    headers: { get: (name) => all.get(name) ?? null },
    text: async () => text
  }
}
