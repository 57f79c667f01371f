import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { WebSocket } from 'ws'
import * as codes from './close-codes.js'
import { InvalidArgumentError } from './errors.js'
import type { Frame } from './frame.js'
import { encodeMessage } from './message.js'
import type { Message } from './message.js'
import { show } from './show.js'
import { currentTurn } from './turn.js'
import type { CloseInfo, TimeSocketClient } from './types.js'

/** Who is told what a client does. One for all clients of a registration. */
export interface ClientObserver<Context> {
  /** A message came while the connection was open. */
  received (client: Client<Context>, data: string | Buffer): void
  /** The connection has ended. Called once. */
  closed (client: Client<Context>, info: CloseInfo): void
}

/** What is known of a client when it connects. */
export interface ClientInfo<Context> {
  ip: string
  port: number
  connectedAt: number
  context: Context
}

/** RFC 6455 §5.5: a control frame carries 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123
const TERMINATED: CloseInfo = { code: codes.ABNORMAL_CLOSURE, reason: '', cause: 'application' }

/**
 * A client over its WebSocket, and the one way to it: whatever we send passes
 * through here, in order. A class, unlike our other parts, because there may be a
 * hundred thousand of them: methods and listeners are shared, not made for each.
 */
export class Client<Context> implements TimeSocketClient<Context> {
  readonly id = randomUUID()
  readonly ip: string
  readonly port: number
  readonly protocol: string
  readonly connectedAt: number
  context: Context
  skipped = 0
  readonly #ws: WebSocket
  /**
   * What whole frames are written to; undefined where there is no real socket, as with
   * `injectWS`.
   */
  readonly #socket: Socket | undefined
  readonly #observer: ClientObserver<Context>
  #ending: CloseInfo | undefined
  readonly #openedMs = performance.now()
  /** The turn of the event loop in which the oldest bytes that still wait were queued. */
  #queuedTurn = 0

  constructor (
    ws: WebSocket, socket: unknown, info: ClientInfo<Context>, observer: ClientObserver<Context>
  ) {
    this.ip = info.ip
    this.port = info.port
    this.protocol = ws.protocol
    this.connectedAt = info.connectedAt
    this.context = info.context
    this.#ws = ws
    this.#socket = socket instanceof Socket ? socket : undefined
    this.#observer = observer
    listen(ws, this)
  }

  /** Whether messages can be sent: not once either side has started to close. */
  get isOpen (): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  /** Whether this side has decided to end the connection. */
  get isEnding (): boolean {
    return this.#ending !== undefined
  }

  /** Milliseconds since it connected, whatever the wall clock did. */
  get ageMs (): number {
    return performance.now() - this.#openedMs
  }

  send (data: Message): boolean {
    return this.deliver(encodeMessage(data))
  }

  close (code: number = codes.NORMAL_CLOSURE, reason: string = ''): void {
    if (!codes.isSendableCloseCode(code)) {
      const expected = '1000 to 1014 without 1004 to 1006, or 3000 to 4999'
      throw new InvalidArgumentError('the close code', expected, show(code))
    }
    if (typeof reason !== 'string') {
      throw new InvalidArgumentError('the close reason', 'a string', show(reason))
    }
    this.end({ code, reason: cutReason(reason), cause: 'application' })
  }

  terminate (): void {
    if (this.isOpen) this.#ending ??= TERMINATED
    this.#ws.terminate()
  }

  /** Closes with this code and reason; the first ending given is the one that is told. */
  end (ending: CloseInfo): void {
    if (!this.isOpen) return
    this.#ending ??= ending
    this.#ws.close(ending.code, ending.reason)
  }

  /** Sends a frame, in order. @returns false once the connection is closing. */
  deliver (frame: Frame): boolean {
    const ws = this.#ws
    if (!this.isOpen) return false
    const idle = ws.bufferedAmount === 0
    if (idle) this.#queuedTurn = currentTurn()
    if (idle && this.#socket !== undefined) this.#socket.write(frame.bytes)
    // Never compressed: ws would hold the message back, and a later direct write overtake it.
    else ws.send(frame.payload, { binary: frame.binary, compress: false })
    return true
  }

  /**
   * Sends a tick unless bytes have waited since an earlier turn of the event loop:
   * what the client would read late is worth nothing to it.
   *
   * @returns whether it was sent.
   */
  deliverTick (frame: Frame): boolean {
    if (this.#ws.bufferedAmount > 0 && this.#queuedTurn !== currentTurn()) {
      this.skipped++
      return false
    }
    return this.deliver(frame)
  }

  /** For the listeners below: a message came. */
  received (data: Buffer, isBinary: boolean): void {
    if (!this.isEnding) this.#observer.received(this, isBinary ? data : data.toString())
  }

  /** For the listeners below: ws found a frame that breaks the rules, and closes. */
  failed (err: Error & { code?: string }): void {
    this.#ending ??= endingFor(err.code)
  }

  /** For the listeners below: the connection has ended. */
  closed (code: number, reason: Buffer): void {
    const cause = code === codes.ABNORMAL_CLOSURE ? 'network' : 'client'
    this.#observer.closed(this, this.#ending ?? { code, reason: reason.toString(), cause })
  }
}

const kClient = Symbol('time-socket-client')

interface ListenedSocket extends WebSocket {
  [kClient]: Client<unknown>
}

/**
 * Replaces all listeners but ws's own: that of @fastify/websocket logs what any client does
 * wrong as an error.
 */
function listen<Context> (ws: WebSocket, client: Client<Context>): void {
  ;(ws as ListenedSocket)[kClient] = client as Client<unknown>
  ws.removeAllListeners('error')
  ws.on('error', onError)
  ws.on('message', onMessage)
  ws.on('close', onClose)
}

function onError (this: WebSocket, err: Error): void {
  (this as ListenedSocket)[kClient].failed(err)
}

function onMessage (this: WebSocket, data: unknown, isBinary: boolean): void {
  // A Buffer: `binaryType` is left at ws's default.
  (this as ListenedSocket)[kClient].received(data as Buffer, isBinary)
}

function onClose (this: WebSocket, code: number, reason: Buffer): void {
  (this as ListenedSocket)[kClient].closed(code, reason)
}

/** What ws answers a bad frame with, by the code of its error. */
function endingFor (errorCode: string | undefined): CloseInfo {
  switch (errorCode) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH':
      return { code: codes.MESSAGE_TOO_BIG, reason: '', cause: 'size' }
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS':
      return { code: codes.POLICY_VIOLATION, reason: '', cause: 'rate' }
    case 'WS_ERR_INVALID_UTF8':
      return { code: codes.INVALID_PAYLOAD, reason: '', cause: 'protocol' }
    default:
      return { code: codes.PROTOCOL_ERROR, reason: '', cause: 'protocol' }
  }
}

function cutReason (reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.length <= MAX_REASON_BYTES) return bytes.toString()
  let end = MAX_REASON_BYTES
  // 10xxxxxx is a continuation byte: the character it belongs to does not fit.
  while ((bytes[end] ?? 0) >> 6 === 0b10) end--
  return bytes.toString('utf8', 0, end)
}
