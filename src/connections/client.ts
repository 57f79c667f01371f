import { randomUUID } from 'node:crypto'
import { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { WebSocket } from 'ws'
import type { ClientHost, ClientInfo } from './client-host.js'
import * as codes from '../protocol/close-codes.js'
import { discardInput } from './discard-input.js'
import { cutReason, endingAfter, TERMINATED, TOO_LARGE, TOO_SLOW } from './endings.js'
import { InvalidArgumentError } from '../api/errors.js'
import type { Frame, Ping } from '../protocol/frame.js'
import { createMessage } from '../protocol/outgoing-message.js'
import { show } from '../util/values.js'
import { listen } from './websocket-events.js'
import type { SocketListener } from './websocket-events.js'
import { formOf } from '../protocol/time-v1-text.js'
import type { Form } from '../protocol/time-v1-text.js'
import { currentTurn } from './event-loop-turn.js'
import type { CloseInfo, TimeSocketClient } from '../api/time-socket.js'

let clientCount = 0

/**
 * A client over its WebSocket, and the one way to it: whatever we send passes
 * through here, in order. A class, unlike our other parts, because there may be a
 * hundred thousand of them: methods and listeners are shared, not made for each.
 */
export class Client<Context> implements TimeSocketClient<Context>, SocketListener {
  declare readonly id: string
  readonly ip: string
  readonly port: number
  readonly protocol: string
  readonly connectedAt: number
  context: Context
  skippedTicks = 0
  rtt: number | undefined
  readonly #ws: WebSocket
  /**
   * What whole frames are written to; undefined where there is no real socket, as with
   * `injectWS`.
   */
  readonly #socket: Socket | undefined
  readonly #host: ClientHost<Context>
  readonly #form: Form
  readonly #number = ++clientCount
  /** In whole milliseconds, which V8 keeps in the object. */
  readonly #openedMs = Math.floor(performance.now())
  #ending: CloseInfo | undefined
  /** The latest turn of the event loop in which something was sent, and how much. */
  #turn = 0
  #turnBytes = 0
  readonly #expiresMs: number | undefined
  #leavingMs: number | undefined
  #pingedRound: number | undefined
  #quotaMs: number | undefined
  #pingedMs: number | undefined
  /** What had been read when it was pinged; undefined once it has said something. */
  #bytesBefore: number | undefined

  constructor (
    ws: WebSocket, socket: unknown, info: ClientInfo<Context>, host: ClientHost<Context>
  ) {
    // Overwritten, it would stay listed under the old one for ever.
    Object.defineProperty(this, 'id', { value: createId(), enumerable: true })
    this.ip = info.ip
    this.port = info.port
    this.protocol = ws.protocol
    this.#form = formOf(ws.protocol)
    this.connectedAt = info.connectedAt
    this.context = info.context
    this.#expiresMs = info.expiresMs
    this.#ws = ws
    this.#socket = socket instanceof Socket ? socket : undefined
    this.#host = host
    listen(ws, this)
  }

  /** Whether messages can be sent: not once either side has started to close. */
  get isOpen (): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  /** What it is sent: depends on the subprotocol. */
  get form (): Form {
    return this.#form
  }

  /** When its permission ends, on the monotonic clock; undefined: never. */
  get expiresMs (): number | undefined {
    return this.#expiresMs
  }

  /** Since when it has been leaving, as `watch.ts` saw it. */
  get leavingMs (): number | undefined {
    return this.#leavingMs
  }

  set leavingMs (leavingMs: number | undefined) {
    this.#leavingMs = leavingMs
  }

  /** The round of `heartbeat.ts` in which it was pinged last. */
  get pingedRound (): number | undefined {
    return this.#pingedRound
  }

  set pingedRound (round: number | undefined) {
    this.#pingedRound = round
  }

  /** What `rate-limit.ts` keeps of it. */
  get quotaMs (): number | undefined {
    return this.#quotaMs
  }

  set quotaMs (quotaMs: number | undefined) {
    this.#quotaMs = quotaMs
  }

  /** Whether it was pinged, and not a byte has come since. */
  get isSilent (): boolean {
    return this.#bytesBefore !== undefined && this.#bytesBefore === this.#bytesRead
  }

  get #bytesRead (): number {
    return this.#socket?.bytesRead ?? 0
  }

  /** Whether this side has decided to end the connection. */
  get isEnding (): boolean {
    return this.#ending !== undefined
  }

  /** Goes up from client to client: the order in which they connected. */
  get number (): number {
    return this.#number
  }

  /** Milliseconds since it connected, whatever the wall clock did. */
  get ageMs (): number {
    return performance.now() - this.#openedMs
  }

  send (data: unknown): boolean {
    return this.deliver(createMessage(data).encode(this.#form))
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
    this.destroy(TERMINATED)
  }

  /** Closes with this code and reason; the first ending given is the one that is told. */
  end (ending: CloseInfo): void {
    this.#host.sending(this)
    if (!this.isOpen) return
    this.#ending ??= ending
    this.#ws.close(ending.code, ending.reason)
  }

  /** Ends it because of what it sent: closes with this code, and reads no more of it. */
  fail (ending: CloseInfo): void {
    this.end(ending)
    this.#discardInput()
  }

  /** Sends a frame, after whatever is on its way to this client. @returns whether it was taken. */
  deliver (frame: Frame): boolean {
    this.#host.sending(this)
    return this.write(frame)
  }

  /**
   * Sends a frame now. A client that is too slow for it is terminated.
   *
   * @returns whether it was taken: not once the connection is closing.
   */
  write (frame: Frame): boolean {
    if (!this.isOpen) return false
    const bufferedBytes = this.#ws.bufferedAmount
    if (this.#waitingBytes(bufferedBytes) > this.#host.maxBufferedBytes) {
      this.destroy(TOO_SLOW)
      return false
    }
    this.#turnBytes += frame.bytes.length
    this.#host.counters.frames.sent++
    this.#host.counters.bytes.sent += frame.bytes.length
    if (bufferedBytes === 0 && this.#socket !== undefined) this.#socket.write(frame.bytes)
    else this.#queue(frame)
    return true
  }

  /** Never compressed: ws would hold the message back, and a later direct write overtake it. */
  #queue ({ payload, binary }: Frame): void {
    this.#ws.send(payload, { binary, compress: false })
  }

  /**
   * Sends a tick now, unless bytes wait: what is read late is worth nothing.
   *
   * @returns whether it was sent.
   */
  writeTick (frame: Frame): boolean {
    if (this.isOpen && this.#waitingBytes(this.#ws.bufferedAmount) > 0) {
      this.skippedTicks++
      return false
    }
    return this.write(frame)
  }

  /** Pings it, in this round of the heartbeat. */
  ping ({ bytes, payload }: Ping, round: number): void {
    this.pingedRound = round
    this.#pingedMs = performance.now()
    this.#bytesBefore = this.#bytesRead
    if (this.#ws.bufferedAmount === 0 && this.#socket !== undefined) this.#socket.write(bytes)
    else this.#ws.ping(payload)
  }

  /**
   * What waits since an earlier turn of the event loop. Bytes queued in this one are
   * no sign of slowness: TLS holds all of them for a turn.
   */
  #waitingBytes (bufferedBytes: number): number {
    const turn = currentTurn()
    if (turn !== this.#turn) {
      this.#turn = turn
      this.#turnBytes = 0
    }
    return Math.max(0, bufferedBytes - this.#turnBytes)
  }

  /** Ends the connection without a handshake; the first ending given is the one that is told. */
  destroy (ending: CloseInfo): void {
    if (this.isOpen) this.#ending ??= ending
    this.#ws.terminate()
  }

  received (data: Buffer, isBinary: boolean): void {
    this.#bytesBefore = undefined
    if (this.isEnding) this.#discardInput()
    else if (data.length > this.#host.maxMessageBytes) this.fail(TOO_LARGE)
    else this.#host.received(this, data, isBinary)
  }

  receivedPing (): void {
    this.#bytesBefore = undefined
    // ws has ended it: the client reads no answers, or sends pings faster than they are written.
    if (!this.isOpen) this.#ending ??= TOO_SLOW
    this.#receivedControl()
  }

  ponged (payload: Buffer): void {
    this.#bytesBefore = undefined
    if (this.#pingedMs === undefined || !this.#isAsked(payload)) return this.#receivedControl()
    const tookMs = performance.now() - this.#pingedMs
    this.#pingedMs = undefined
    if (!this.#host.wasHeldUp(this, tookMs)) this.rtt = tookMs
  }

  /** Whether this is what it was pinged with. */
  #isAsked (payload: Buffer): boolean {
    return payload.length === 4 && payload.readUInt32BE() === this.pingedRound
  }

  #receivedControl (): void {
    if (this.isEnding) this.#discardInput()
    else this.#host.receivedControl(this)
  }

  /**
   * Reads no more of what it sends, and ends the stream: RFC 6455 §7.1.7. Its own close frame would
   * be no news.
   */
  #discardInput (): void {
    if (this.#socket !== undefined && !this.#socket.writableEnded) discardInput(this.#socket)
  }

  failed (err: Error & { code?: string }): void {
    this.#ending ??= endingAfter(err.code)
    this.#discardInput()
  }

  closed (code: number, reason: Buffer): void {
    const cause = code === codes.ABNORMAL_CLOSURE ? 'network' : 'client'
    this.#host.closed(this, this.#ending ?? { code, reason: reason.toString(), cause })
  }
}

/**
 * Node puts a UUID together from twenty pieces, and V8 would keep them all: half a kilobyte. Read
 * from bytes, it is one string.
 */
function createId (): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1')
}
