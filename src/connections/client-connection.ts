import { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { WebSocket } from 'ws'
import type { CloseInfo } from '../api/time-socket.js'
import { TOO_SLOW } from './endings.js'
import type { Counters } from '../observability/telemetry.js'
import type { Frame, Ping } from '../protocol/frame.js'
import { wireFormatFor } from '../protocol/time-v1-text.js'
import type { WireFormat } from '../protocol/time-v1-text.js'

/** What the connections of one registration share. */
export interface ConnectionHost {
  /** Counts what is sent. */
  readonly counters: Pick<Counters, 'frames' | 'bytes'>
  /** A client is terminated if more bytes than this are buffered when it is sent a message. */
  readonly maxBufferedBytes: number
  /** Sends the client its part of all deliveries under way, so that a message follows them. */
  sendPendingDeliveries (client: ClientConnection): void
}

/** True until either side has started to close: only then can messages be sent. */
export let isOpen: (client: ClientConnection) => boolean
/** The wire format of messages to this client, which depends on the subprotocol. */
export let wireFormatOf: (client: ClientConnection) => WireFormat
/** A number that increases by one with each client: the order in which clients connected. */
export let connectionNumber: (client: ClientConnection) => number
/** Milliseconds since the client connected, on the monotonic clock. */
export let ageMs: (client: ClientConnection) => number
/** How many bytes have been read from the client; 0 if it has no real socket. */
export let bytesReadFrom: (client: ClientConnection) => number
export let hostOf: <Host extends ConnectionHost>(client: ClientConnection<Host>) => Host

/**
 * Sends a frame now. A client that is too slow for it is terminated.
 *
 * @returns false if the connection is closing, or was terminated.
 */
export let writeFrame: (client: ClientConnection, frame: Frame) => boolean
/** Sends a frame after the deliveries that are under way to this client. */
export let deliverFrame: (client: ClientConnection, frame: Frame) => boolean
/**
 * Sends a tick now, unless bytes are buffered: a late tick is useless, so it is skipped.
 *
 * @returns true if the tick was sent.
 */
export let writeTick: (client: ClientConnection, frame: Frame) => boolean
export let writePing: (client: ClientConnection, ping: Ping) => void
/** Passes everything that `write` sends to the operating system at once, when `write` returns. */
export let writeTogether: (client: ClientConnection, write: () => void) => void

/** How the server has decided to end the connection; undefined until it has decided. */
export let endingOf: (client: ClientConnection) => CloseInfo | undefined
/** Records why the connection ends, for `onClose`. Only the first call has an effect. */
export let keepEnding: (client: ClientConnection, ending: CloseInfo) => void
/** Starts the closing handshake. Has no effect once the connection is closing. */
export let closeWith: (client: ClientConnection, ending: CloseInfo) => void
/**
 * Starts the closing handshake because of a client's message, and reads nothing more from the
 * client.
 */
export let closeAndStopReading: (client: ClientConnection, ending: CloseInfo) => void
/** Ends the connection without a handshake. */
export let terminateWith: (client: ClientConnection, ending: CloseInfo) => void
/**
 * Ends the server's side of the TCP connection, and drops what the client still sends (RFC 6455
 * §7.1.7).
 */
export let stopReading: (client: ClientConnection) => void

let connectionCount = 0

/**
 * The WebSocket of one client, and everything written to it: in order, and only as long as the
 * client keeps up. Users get this object as a `Client`, so it exposes only the documented members.
 * The functions above have access to its private members.
 */
export class ClientConnection<Host extends ConnectionHost = ConnectionHost> {
  skippedTicks = 0
  readonly #ws: WebSocket
  /**
   * The TCP socket, to which whole frames are written; undefined if there is none, as with
   * `injectWS`.
   */
  readonly #socket: Socket | undefined
  readonly #host: Host
  readonly #wireFormat: WireFormat
  readonly #number = ++connectionCount
  /** Whole milliseconds, which V8 stores without a heap number. */
  readonly #openedMs = Math.floor(performance.now())
  #ending: CloseInfo | undefined
  /** The latest turn of the event loop in which something was sent, and how many bytes. */
  #turn = 0
  #turnBytes = 0

  constructor (ws: WebSocket, socket: unknown, host: Host) {
    this.#ws = ws
    this.#socket = socket instanceof Socket ? socket : undefined
    this.#host = host
    this.#wireFormat = wireFormatFor(ws.protocol)
  }

  static {
    isOpen = (client) => client.#isOpen
    wireFormatOf = (client) => client.#wireFormat
    connectionNumber = (client) => client.#number
    ageMs = (client) => performance.now() - client.#openedMs
    bytesReadFrom = (client) => client.#socket?.bytesRead ?? 0
    hostOf = (client) => client.#host
    writeFrame = (client, frame) => client.#write(frame)
    deliverFrame = (client, frame) => client.#deliver(frame)
    writeTick = (client, frame) => client.#writeTick(frame)
    writePing = (client, ping) => client.#writePing(ping)
    writeTogether = (client, write) => client.#writeTogether(write)
    endingOf = (client) => client.#ending
    keepEnding = (client, ending) => { client.#ending ??= ending }
    closeWith = (client, ending) => client.#closeWith(ending)
    closeAndStopReading = (client, ending) => client.#closeAndStopReading(ending)
    terminateWith = (client, ending) => client.#terminateWith(ending)
    stopReading = (client) => client.#stopReading()
  }

  get #isOpen (): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  #deliver (frame: Frame): boolean {
    this.#host.sendPendingDeliveries(this)
    return this.#write(frame)
  }

  #write (frame: Frame): boolean {
    if (!this.#isOpen) return false
    const bufferedBytes = this.#ws.bufferedAmount
    if (this.#waitingBytes(bufferedBytes) > this.#host.maxBufferedBytes) {
      this.#terminateWith(TOO_SLOW)
      return false
    }
    const { bytes, payload, binary } = frame
    const { frames, bytes: byteCounter } = this.#host.counters
    this.#turnBytes += bytes.length
    frames.sent++
    byteCounter.sent += bytes.length
    if (bufferedBytes === 0 && this.#socket !== undefined) this.#socket.write(bytes)
    // Never compressed: ws would hold the message back, and a later direct write would overtake it.
    else this.#ws.send(payload, { binary, compress: false })
    return true
  }

  #writeTick (frame: Frame): boolean {
    if (this.#isOpen && this.#waitingBytes(this.#ws.bufferedAmount) > 0) {
      this.skippedTicks++
      return false
    }
    return this.#write(frame)
  }

  #writePing ({ bytes, payload }: Ping): void {
    if (this.#ws.bufferedAmount === 0 && this.#socket !== undefined) this.#socket.write(bytes)
    else this.#ws.ping(payload)
  }

  #writeTogether (write: () => void): void {
    this.#socket?.cork()
    try {
      write()
    } finally {
      this.#socket?.uncork()
    }
  }

  /**
   * Bytes that have waited since an earlier turn of the event loop. Bytes queued in this turn are
   * no sign of a slow client: TLS holds all of them for a turn.
   */
  #waitingBytes (bufferedBytes: number): number {
    const turn = currentTurn()
    if (turn !== this.#turn) {
      this.#turn = turn
      this.#turnBytes = 0
    }
    return Math.max(0, bufferedBytes - this.#turnBytes)
  }

  #closeWith (ending: CloseInfo): void {
    this.#host.sendPendingDeliveries(this)
    if (!this.#isOpen) return
    this.#ending ??= ending
    this.#ws.close(ending.code, ending.reason)
  }

  #closeAndStopReading (ending: CloseInfo): void {
    this.#closeWith(ending)
    this.#stopReading()
  }

  #terminateWith (ending: CloseInfo): void {
    if (this.#isOpen) this.#ending ??= ending
    this.#ws.terminate()
  }

  #stopReading (): void {
    if (this.#socket !== undefined && !this.#socket.writableEnded) discardInput(this.#socket)
  }
}

/** A client that stops sending when asked to has at most this many bytes in flight. */
const MAX_DISCARDED_BYTES = 65_536
/**
 * Milliseconds between two reads: without reading, a reset of the connection would go unnoticed.
 */
const DISCARD_PERIOD_MS = 250

/**
 * Ends the server's side of a TCP connection, and detaches ws from its input: parsing an unwanted
 * flood would delay all other clients.
 *
 * The first 64 KiB are read and dropped, so that the end of the client's side is noticed at once.
 * After that, one chunk is read every 250 ms: TCP flow control stops the sender, the client can
 * still read the close code, and a reset is noticed. The caller must eventually destroy the socket.
 */
export function discardInput (socket: Socket): void {
  let leftBytes = MAX_DISCARDED_BYTES
  socket.removeAllListeners('data')
  socket.on('data', (chunk: Buffer) => {
    leftBytes -= chunk.length
    if (leftBytes >= 0) return
    socket.pause()
    setTimeout(() => socket.resume(), DISCARD_PERIOD_MS).unref()
  })
  socket.resume().end()
}

let turn = 0
let isCountingTurns = false

/**
 * Returns a number for the current turn of the event loop, which never decreases. Two calls return
 * the same number only if no complete turn, with its reads and writes, lies between them.
 */
export function currentTurn (): number {
  if (!isCountingTurns) {
    isCountingTurns = true
    // The first callback may still run in the current turn. The second is a whole turn later.
    setImmediate(() => setImmediate(() => {
      turn++
      isCountingTurns = false
    }))
  }
  return turn
}
