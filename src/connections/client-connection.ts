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
  /** A client is terminated when more bytes than this wait and it is sent a further message. */
  readonly maxBufferedBytes: number
  /** Sends the client its part of all deliveries under way, so that a message follows them. */
  sendPendingDeliveries (client: ClientConnection): void
}

/** True until either side has started to close: only then can messages be sent. */
export let isOpen: (client: ClientConnection) => boolean
/** How messages to this client are written: it depends on the subprotocol. */
export let wireFormatOf: (client: ClientConnection) => WireFormat
/** Counts up from client to client: the order in which they connected. */
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
 * Sends a tick now, unless bytes wait: a late tick is worth nothing, so it is skipped.
 *
 * @returns true if it was sent.
 */
export let writeTick: (client: ClientConnection, frame: Frame) => boolean
export let writePing: (client: ClientConnection, ping: Ping) => void
/** Hands all that `write` sends to the operating system in one go, when it returns. */
export let writeTogether: (client: ClientConnection, write: () => void) => void

/** How this side has decided to end the connection; undefined before. */
export let endingOf: (client: ClientConnection) => CloseInfo | undefined
/** Keeps why the connection ends, for `onClose`. The first ending given is kept. */
export let keepEnding: (client: ClientConnection, ending: CloseInfo) => void
/** Starts the closing handshake; without effect once the connection is closing. */
export let closeWith: (client: ClientConnection, ending: CloseInfo) => void
/** Starts the closing handshake because of what the client sent, and reads no more of it. */
export let closeAndStopReading: (client: ClientConnection, ending: CloseInfo) => void
/** Ends the connection without a handshake. */
export let terminateWith: (client: ClientConnection, ending: CloseInfo) => void
/** Ends our side of the TCP connection, and drops what the client still sends (RFC 6455 §7.1.7). */
export let stopReading: (client: ClientConnection) => void

let connectionCount = 0

/**
 * The WebSocket of one client, and everything written to it: in order, and only as long as the
 * client keeps up. Users get it as a `Client`, so nothing but the documented members can be
 * reached on it: the functions above are its friends.
 */
export class ClientConnection<Host extends ConnectionHost = ConnectionHost> {
  skippedTicks = 0
  readonly #ws: WebSocket
  /** Whole frames are written to it; undefined if there is no real socket, as with `injectWS`. */
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
    // Never compressed: ws would hold the message back, and a later direct write overtake it.
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

/** A client that stops sending when it is told to has no more bytes than this on their way. */
const MAX_DISCARDED_BYTES = 65_536
/** How often a little more is read: a reset of the connection is not noticed without reading. */
const DISCARD_PERIOD_MS = 250

/**
 * Ends our side of a TCP connection, and takes its input away from ws: parsing a flood that nobody
 * wants would delay all other clients.
 *
 * The first 64 KiB are read and dropped, so that the end of the client's side is noticed at once.
 * After that one chunk is read every 250 ms: TCP stops the sender, the client can still read the
 * close code, and a reset is noticed. The caller must destroy the socket in the end.
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
 * Numbers the turns of the event loop in which it is called, upwards. Two calls return the same
 * number only if no whole turn, with its reading and writing, lies between them.
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
