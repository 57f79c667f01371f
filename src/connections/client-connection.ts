import { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { WebSocket } from 'ws'
import type { CloseInfo } from '../api/time-socket.js'
import type { Counters } from '../observability/telemetry.js'
import { CONTROL_HEADER_BYTES } from '../protocol/frame.js'
import type { Frame, Ping } from '../protocol/frame.js'
import { wireFormatFor } from '../protocol/time-v1-text.js'
import type { WireFormat } from '../protocol/time-v1-text.js'
import { currentTurn } from '../util/event-loop-turn.js'
import { discardInput } from './discard-input.js'
import { TOO_SLOW } from './endings.js'

/** What the connections of one registration share. */
export interface ConnectionHost {
  /** Counts what is sent. */
  readonly counters: Pick<Counters, 'frames' | 'bytes'>
  /** A client is terminated if more bytes than this are buffered when it is sent a message. */
  readonly maxBufferedBytes: number
  /** Sends the client its share of all deliveries in progress, so that a message follows them. */
  sendPendingDeliveries (client: ClientConnection): void
}

let connectionCount = 0

/**
 * The WebSocket of one client, and everything written to it: in order, and only as long as the
 * client keeps up. Users get this object as a `Client`, so it has only the documented members.
 * Other modules use its static methods, which can read its private members.
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
    // The 101 was written in this turn.
    this.#startTurn()
    this.#turnBytes = ws.bufferedAmount
  }

  /** True until either side has started to close. Messages can be sent only while this is true. */
  static isOpen (client: ClientConnection): boolean {
    return client.#ws.readyState === client.#ws.OPEN
  }

  /** The wire format of messages to this client, which depends on the subprotocol. */
  static wireFormatOf (client: ClientConnection): WireFormat {
    return client.#wireFormat
  }

  /** A number that increases by one with each client: the order in which clients connected. */
  static connectionNumber (client: ClientConnection): number {
    return client.#number
  }

  /** Milliseconds since the client connected, on the monotonic clock. */
  static ageMs (client: ClientConnection): number {
    return performance.now() - client.#openedMs
  }

  /** How many bytes have been read from the client; 0 if it has no real socket. */
  static bytesReadFrom (client: ClientConnection): number {
    return client.#socket?.bytesRead ?? 0
  }

  static hostOf<Host extends ConnectionHost> (client: ClientConnection<Host>): Host {
    return client.#host
  }

  /**
   * Sends a frame now. Terminates the client if more than `maxBufferedBytes` are buffered.
   *
   * @returns false if the connection is closing, or was terminated.
   */
  static writeFrame (client: ClientConnection, frame: Frame): boolean {
    if (!isOpen(client)) return false
    const bufferedBytes = client.#ws.bufferedAmount
    if (client.#waitingBytes(bufferedBytes) > client.#host.maxBufferedBytes) {
      terminateWith(client, TOO_SLOW)
      return false
    }
    client.#write(frame, bufferedBytes)
    return true
  }

  /** Sends a frame after the deliveries that are under way to this client. */
  static deliverFrame (client: ClientConnection, frame: Frame): boolean {
    client.#host.sendPendingDeliveries(client)
    return writeFrame(client, frame)
  }

  /**
   * Sends a tick now, unless bytes are buffered: a late tick is useless, so it is skipped.
   *
   * @returns true if the tick was sent.
   */
  static writeTick (client: ClientConnection, frame: Frame): boolean {
    if (!isOpen(client)) return false
    const bufferedBytes = client.#ws.bufferedAmount
    if (client.#waitingBytes(bufferedBytes) > 0) {
      client.skippedTicks++
      return false
    }
    client.#write(frame, bufferedBytes)
    return true
  }

  /** Sends a ping now. */
  static writePing (client: ClientConnection, { bytes, payload }: Ping): void {
    const bufferedBytes = client.#ws.bufferedAmount
    noteControlFrameWritten(client, payload)
    if (bufferedBytes === 0 && client.#socket !== undefined) client.#socket.write(bytes)
    else client.#ws.ping(payload)
  }

  /** Must be called with the payload of each ping or pong that is written in this turn. */
  static noteControlFrameWritten (client: ClientConnection, payload: Uint8Array): void {
    client.#startTurn()
    client.#turnBytes += CONTROL_HEADER_BYTES + payload.length
  }

  /** Passes everything that `write` sends to the operating system at once, when `write` returns. */
  static writeTogether (client: ClientConnection, write: () => void): void {
    client.#socket?.cork()
    try {
      write()
    } finally {
      client.#socket?.uncork()
    }
  }

  /** How the server has decided to end the connection; undefined until it has decided. */
  static endingOf (client: ClientConnection): CloseInfo | undefined {
    return client.#ending
  }

  /** Records why the connection ends, for `onClose`. Only the first call has an effect. */
  static recordEnding (client: ClientConnection, ending: CloseInfo): void {
    client.#ending ??= ending
  }

  /** Starts the closing handshake. Has no effect once the connection is closing. */
  static closeWith (client: ClientConnection, ending: CloseInfo): void {
    client.#host.sendPendingDeliveries(client)
    if (!isOpen(client)) return
    client.#ending ??= ending
    client.#ws.close(ending.code, ending.reason)
  }

  /**
   * Starts the closing handshake because of a client's message, and reads nothing more from the
   * client.
   */
  static closeAndStopReading (client: ClientConnection, ending: CloseInfo): void {
    closeWith(client, ending)
    stopReading(client)
  }

  /** Ends the connection without a handshake. */
  static terminateWith (client: ClientConnection, ending: CloseInfo): void {
    if (isOpen(client)) client.#ending ??= ending
    client.#ws.terminate()
  }

  /**
   * Ends the server's side of the TCP connection, and drops what the client still sends (RFC 6455
   * §7.1.7).
   */
  static stopReading (client: ClientConnection): void {
    const socket = client.#socket
    if (socket !== undefined && !socket.writableEnded) discardInput(socket)
  }

  /**
   * Counts and sends a frame. The connection must be open.
   *
   * @param bufferedBytes `ws.bufferedAmount`, read in this call.
   */
  #write ({ bytes, payload, binary }: Frame, bufferedBytes: number): void {
    const { counters } = this.#host
    counters.frames.sent++
    counters.bytes.sent += bytes.length
    this.#turnBytes += bytes.length
    if (bufferedBytes === 0 && this.#socket !== undefined) this.#socket.write(bytes)
    // Never compressed: ws would hold the message back, so a later direct write could overtake.
    else this.#ws.send(payload, { binary, compress: false })
  }

  /**
   * Bytes that have waited since an earlier turn of the event loop. Bytes queued in this turn are
   * no sign of a slow client: TLS holds all of them for a turn.
   */
  #waitingBytes (bufferedBytes: number): number {
    this.#startTurn()
    return Math.max(0, bufferedBytes - this.#turnBytes)
  }

  /** Resets the count of bytes written if the event loop has turned since. */
  #startTurn (): void {
    const turn = currentTurn()
    if (turn === this.#turn) return
    this.#turn = turn
    this.#turnBytes = 0
  }
}

/** As functions: none of them uses `this`. */
export const {
  isOpen, wireFormatOf, connectionNumber, ageMs, bytesReadFrom, hostOf, writeFrame, deliverFrame,
  writeTick, writePing, noteControlFrameWritten, writeTogether, endingOf, recordEnding, closeWith,
  closeAndStopReading, terminateWith, stopReading
} = ClientConnection
