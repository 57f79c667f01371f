import { TIME_PROTOCOL } from '../../protocol/time-v1.js'
import type { Environment, Socket } from '../environment.js'
import { inquire } from './inquiry.js'
import { createTimer } from '../time/single-timer.js'

/**
 * `connecting`: until the socket is open, or it is known why not · `open` · `waiting`: to connect
 * again · `closed`: by `close()` · `refused`: the server has said not to come back.
 */
export type ClockState = 'connecting' | 'open' | 'waiting' | 'closed' | 'refused'

/** How a connection has ended, or an attempt. */
export interface CloseDetail {
  /** The WebSocket close code; 1006 where there was none. */
  readonly code: number
  readonly reason: string
  /** Milliseconds until the next attempt; undefined: there will be none. */
  readonly retryIn: number | undefined
}

/** The connection to the server, made again and again; one socket at a time. */
export interface Connection {
  readonly state: ClockState
  /** Of the current attempt. */
  readonly socket: Socket | undefined
  /** Sends over an open connection. @returns whether there is one. */
  send (data: string | ArrayBuffer): boolean
  /** The server speaks `time.v1`: whatever happens, it will be offered. */
  confirm (): void
  /** Connects, unless it does already. */
  open (): void
  /** Connects now rather than later, unless the server wants to be left alone. */
  hurry (): void
  /** Takes the connection for lost. */
  lose (code: number, reason: string): void
  /** Until `open()`. */
  close (): void
}

export interface ConnectionOptions {
  environment: Environment
  /** Called for each attempt. */
  url: () => Promise<string | URL>
  /** Offered besides `time.v1`. */
  protocols: readonly string[]
  onConnect: () => void
  onOpen: () => void
  onMessage: (data: unknown, localMs: number) => void
  onClose: (detail: CloseDetail) => void
  /** @param status of HTTP; 0 if it cannot be known. */
  onRefused: (status: number) => void
}

const OPEN = 1
const NORMAL = 1000
const ABNORMAL = 1006
const BACKOFF_MS = 500
const MAX_BACKOFF_MS = 30_000
/** A connection that ends sooner counts as a failed attempt. */
const STABLE_MS = 5000

export function createConnection (options: ConnectionOptions): Connection {
  const { environment, onClose } = options
  const { monotonic, page } = environment
  const timer = createTimer(environment)
  let state: ClockState = 'closed'
  let socket: Socket | undefined
  /** Aborted once the attempt is over: what still comes of it is stale. */
  let attempt = new AbortController()
  let failureCount = 0
  let openedMs = 0
  /** Until when the server wants to be left alone. */
  let waitUntilMs = 0
  let isConfirmed = false
  /** Who knows no subprotocol fails the handshake of a client that offers some. */
  let offers = true

  function turn (next: ClockState): AbortSignal {
    timer()
    attempt.abort()
    socket?.close(NORMAL)
    socket = undefined
    attempt = new AbortController()
    state = next
    return attempt.signal
  }

  async function connect (): Promise<void> {
    const signal = turn('connecting')
    options.onConnect()
    try {
      const { href } = new URL(await options.url(), page.document?.baseURI ?? page.location?.href)
      if (!signal.aborted) {
        const offered = offers ? [TIME_PROTOCOL, ...options.protocols] : []
        socket = new environment.WebSocket(href.replace('http', 'ws'), offered)
        listen(socket, signal)
      }
    } catch (error) {
      if (!signal.aborted) lose(ABNORMAL, String(error))
    }
  }

  function listen (to: Socket, signal: AbortSignal): void {
    to.binaryType = 'arraybuffer'
    to.onopen = () => { if (!signal.aborted) opened(to, signal) }
    to.onmessage = ({ data }: MessageEvent) => {
      const localMs = monotonic()
      if (!signal.aborted) options.onMessage(data, localMs)
    }
    to.onclose = ({ code, reason }: CloseEvent) => { if (!signal.aborted) lose(code, reason) }
    // `close` follows. In `ws`, an error that nobody listens to ends the process.
    to.onerror = () => {}
  }

  async function opened (to: Socket, signal: AbortSignal): Promise<void> {
    state = 'open'
    openedMs = monotonic()
    options.onOpen()
    if (offers) return
    // Whether the handshake before has failed because of the subprotocol is not known.
    isConfirmed = (await inquire(to.url, environment, signal)).speaks
    if (isConfirmed && !signal.aborted) lose(NORMAL, TIME_PROTOCOL)
  }

  async function lose (code: number, reason: string): Promise<void> {
    const wasOpen = state === 'open'
    if (wasOpen && monotonic() - openedMs > STABLE_MS) failureCount = 0
    const refusedBy = wasOpen ? undefined : socket
    const signal = turn(wasOpen ? 'waiting' : 'connecting')
    const found = refusedBy && await inquire(refusedBy.url, environment, signal)
    if (signal.aborted) return
    // The close codes 4401 and 4403 say what 401 and 403 do.
    const { status, waitMs, speaks } = found ?? { status: code - 4000, waitMs: 0, speaks: false }
    isConfirmed ||= speaks
    // Who is busy refuses anybody, whatever is offered.
    offers = isConfirmed || wasOpen || !offers || status > 428
    const isFinal = status === 401 || status === 403
    const limitMs = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** failureCount++)
    const retryIn = isFinal ? undefined : Math.max(waitMs, environment.random() * limitMs)
    waitUntilMs = monotonic() + waitMs
    state = isFinal ? 'refused' : 'waiting'
    if (!isFinal) timer(connect, retryIn)
    onClose({ code, reason, retryIn })
    if (isFinal || (found && !(status >= 200 && status < 300))) options.onRefused(status)
  }

  return {
    get state () {
      return state
    },
    get socket () {
      return socket
    },
    send (data) {
      const isOpen = socket?.readyState === OPEN
      if (isOpen) socket?.send(data)
      return isOpen
    },
    confirm () {
      isConfirmed = true
    },
    open () {
      failureCount = 0
      if (state !== 'connecting' && state !== 'open') connect()
    },
    hurry () {
      if (state === 'waiting' && monotonic() >= waitUntilMs) connect()
    },
    lose,
    close () {
      if (state === 'closed') return
      turn('closed')
      onClose({ code: NORMAL, reason: '', retryIn: undefined })
    }
  }
}
