import type { AsyncResource } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { WebSocket } from 'ws'
import { InvalidArgumentError } from '../api/errors.js'
import type { CloseInfo, TimeSocketClient } from '../api/time-socket.js'
import {
  bytesReadFrom, ClientConnection, closeWith, deliverFrame, hostOf, terminateWith, wireFormatOf,
  writePing
} from './client-connection.js'
import type { ConnectionHost } from './client-connection.js'
import { cutReason, EXPIRED, TERMINATED } from './endings.js'
import * as codes from '../protocol/close-codes.js'
import { CONTROL_HEADER_BYTES, MASK_BYTES } from '../protocol/frame.js'
import type { Ping } from '../protocol/frame.js'
import { createMessage } from '../protocol/outgoing-message.js'
import { readMoment, show } from '../util/values.js'

/** What all clients of a registration share: limits, clocks, and callbacks that clients call. */
export interface ClientHost<Context> extends ConnectionHost {
  /** The largest inbound message, in bytes. */
  readonly maxMessageBytes: number
  /** The server's time, milliseconds since the Unix epoch. */
  now (): number
  /** Milliseconds on the monotonic clock. */
  monotonic (): number
  /** True if the event loop has stalled since the client was pinged, `sinceMs` milliseconds ago. */
  wasStalled (client: Client<Context>, sinceMs: number): boolean
  /**
   * Called with each message that arrives while the connection is open and that is not too large.
   */
  onMessage (client: Client<Context>, data: Buffer, isBinary: boolean): void
  /**
   * Called for each ping, and for each pong that answers no ping of the server, while the
   * connection is open.
   */
  onControlFrame (client: Client<Context>): void
  /** Called once, when the connection has ended. */
  onClosed (client: Client<Context>, info: CloseInfo): void
}

/** What is known of a client when it connects. */
export interface ClientInfo<Context> {
  ip: string
  port: number
  /** The server's time, milliseconds since the Unix epoch. */
  connectedAt: number
  context: Context
  /** Undefined if the client's permission does not end. */
  expiry: Expiry | undefined
  /** The async context for `onMessage` and `onClose`; undefined if the application has neither. */
  scope?: AsyncResource | undefined
}

/** When a client's permission ends. */
export interface Expiry {
  /** As the application gave it: milliseconds since the Unix epoch. */
  readonly at: number
  /** On the monotonic clock: steps of the wall clock do not move it. */
  readonly dueMs: number
}

/** A number that another module stores on each client instead of in a table of its own. */
export interface ClientNumber {
  get (client: Client<unknown>): number | undefined
  set (client: Client<unknown>, value: number): void
}

/**
 * One connected client: what users see, and the state of the heartbeat and the rate limit. A class,
 * because there may be a hundred thousand clients, which then share their methods.
 */
export class Client<Context>
  extends ClientConnection<ClientHost<Context>> implements TimeSocketClient<Context> {
  declare readonly id: string
  readonly ip: string
  readonly port: number
  readonly protocol: string
  readonly connectedAt: number
  context: Context
  rtt: number | undefined
  #expiry: Expiry | undefined
  readonly #scope: AsyncResource | undefined
  #messageQuotaMs: number | undefined
  #syncQuotaMs: number | undefined
  #pingRound: number | undefined
  #pingedMs: number | undefined
  /** The bytes read before the latest ping; undefined once a message, ping or pong has followed. */
  #bytesAtPing: number | undefined
  #bytesAtMessage: number

  constructor (
    ws: WebSocket, socket: unknown, info: ClientInfo<Context>, host: ClientHost<Context>
  ) {
    super(ws, socket, host)
    // If a user could overwrite the id, the client would stay listed under the old one for ever.
    Object.defineProperty(this, 'id', { value: createId(), enumerable: true })
    this.ip = info.ip
    this.port = info.port
    this.protocol = ws.protocol
    this.connectedAt = info.connectedAt
    this.context = info.context
    this.#expiry = info.expiry
    this.#scope = info.scope
    this.#bytesAtMessage = bytesReadFrom(this)
  }

  get expiresAt (): number | undefined {
    return this.#expiry?.at
  }

  set expiresAt (value: Date | number | undefined) {
    const host = hostOf(this)
    this.#expiry = readExpiry(value, host)
    if (this.#expiry !== undefined && this.#expiry.dueMs <= host.monotonic()) {
      closeWith(this, EXPIRED)
    }
  }

  send (data: unknown): boolean {
    return deliverFrame(this, createMessage(data).encode(wireFormatOf(this)))
  }

  close (code: number = codes.NORMAL_CLOSURE, reason: string = ''): void {
    if (!codes.isSendableCloseCode(code)) {
      const expected = '1000 to 1014 except 1004 to 1006, or 3000 to 4999'
      throw new InvalidArgumentError('the close code', expected, show(code))
    }
    if (typeof reason !== 'string') {
      throw new InvalidArgumentError('the close reason', 'a string', show(reason))
    }
    closeWith(this, { code, reason: cutReason(reason), cause: 'application' })
  }

  terminate (): void {
    terminateWith(this, TERMINATED)
  }

  /** The state of the rate limit for messages: see `rate-limit.ts`. */
  static readonly messageQuota: ClientNumber = {
    get: (client) => client.#messageQuotaMs,
    set: (client, quotaMs) => { client.#messageQuotaMs = quotaMs }
  }

  /** The state of the rate limit for `sync` requests. */
  static readonly syncQuota: ClientNumber = {
    get: (client) => client.#syncQuotaMs,
    set: (client, quotaMs) => { client.#syncQuotaMs = quotaMs }
  }

  /** The round of the heartbeat in which the client was pinged last; at first, an assumed one. */
  static readonly pingRound: ClientNumber = {
    get: (client) => client.#pingRound,
    set: (client, round) => { client.#pingRound = round }
  }

  /** Pings the client in this round of the heartbeat. */
  static pingClient (client: Client<unknown>, ping: Ping, round: number): void {
    client.#pingRound = round
    client.#pingedMs = performance.now()
    client.#bytesAtPing = bytesReadFrom(client)
    writePing(client, ping)
  }

  /** True if the client was pinged, and has sent no byte since. */
  static isSilent (client: Client<unknown>): boolean {
    return client.#bytesAtPing !== undefined && client.#bytesAtPing === bytesReadFrom(client)
  }

  /**
   * Records the round trip if the pong answers the latest ping.
   *
   * @returns false if the pong does not answer the latest ping.
   */
  static recordPong (client: Client<unknown>, payload: Buffer): boolean {
    if (client.#pingedMs === undefined || !isRound(payload, client.#pingRound)) return false
    const tookMs = performance.now() - client.#pingedMs
    client.#pingedMs = undefined
    if (!hostOf(client).wasStalled(client, tookMs)) client.rtt = tookMs
    return true
  }

  /** Must be called for each complete message from the client: a sign of life. */
  static noteMessageRead (client: Client<unknown>): void {
    client.#bytesAtPing = undefined
    client.#bytesAtMessage = bytesReadFrom(client)
  }

  /**
   * Must be called for each ping or pong from the client. It is a sign of life, and its bytes are
   * not part of an unfinished message.
   */
  static noteControlFrameRead (client: Client<unknown>, payload: Buffer): void {
    client.#bytesAtPing = undefined
    const frameBytes = CONTROL_HEADER_BYTES + MASK_BYTES + payload.length
    // A frame that was read together with a complete message before it is already counted.
    client.#bytesAtMessage = Math.min(bytesReadFrom(client), client.#bytesAtMessage + frameBytes)
  }

  /** Bytes read since the last complete message, without pings and pongs. */
  static unfinishedBytes (client: Client<unknown>): number {
    return bytesReadFrom(client) - client.#bytesAtMessage
  }

  /** When the client's permission ends, on the monotonic clock; undefined if it does not. */
  static expiresAtMonotonic (client: Client<unknown>): number | undefined {
    return client.#expiry?.dueMs
  }

  static scopeOf (client: Client<unknown>): AsyncResource | undefined {
    return client.#scope
  }
}

/** As functions: none of them uses `this`. */
export const {
  messageQuota, syncQuota, pingRound, pingClient, isSilent, recordPong, noteMessageRead,
  noteControlFrameRead, unfinishedBytes, expiresAtMonotonic, scopeOf
} = Client

/** True if the payload of a ping or pong is the number of this round. */
function isRound (payload: Buffer, round: number | undefined): boolean {
  return payload.length === 4 && payload.readUInt32BE() === round
}

function readExpiry (
  value: unknown, { now, monotonic }: Pick<ClientHost<unknown>, 'now' | 'monotonic'>
): Expiry | undefined {
  if (value === undefined) return undefined
  const at = readMoment(value)
  if (at === undefined) {
    const expected = 'a Date, milliseconds since the Unix epoch (the exp of a JWT is in seconds: ' +
      'exp * 1000) or undefined'
    throw new InvalidArgumentError('expiresAt', expected, show(value))
  }
  return { at, dueMs: monotonic() + at - now() }
}

/**
 * Returns a random UUID as one flat string. Node.js concatenates a UUID from twenty strings, and V8
 * would keep all of them: half a kilobyte per client.
 */
function createId (): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1')
}
