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
import type { Ping } from '../protocol/frame.js'
import { createMessage } from '../protocol/outgoing-message.js'
import { readMoment, show } from '../util/values.js'

/** What all clients of a registration share, and report to. */
export interface ClientHost<Context> extends ConnectionHost {
  /** The largest inbound message, in bytes. */
  readonly maxMessageBytes: number
  /** The server's time, milliseconds since the Unix epoch. */
  now (): number
  /** Milliseconds on the monotonic clock. */
  monotonic (): number
  /** True if this process was held up since it pinged the client, `sinceMs` ago. */
  wasHeldUp (client: Client<Context>, sinceMs: number): boolean
  /** A message came while the connection was open, and is not too large. */
  onMessage (client: Client<Context>, data: Buffer, isBinary: boolean): void
  /** A ping, or a pong that answers none of ours, came while the connection was open. */
  onControlFrame (client: Client<Context>): void
  /** The connection has ended. Called once. */
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
  /** As the application said it: milliseconds since the Unix epoch. */
  readonly at: number
  /** On the monotonic clock: steps of the wall clock do not move it. */
  readonly dueMs: number
}

/** A number that another part keeps for each client, without a table of its own. */
export interface ClientNumber {
  get (client: Client<unknown>): number | undefined
  set (client: Client<unknown>, value: number): void
}

/** When the client has its next token for messages, and for `sync` requests (`rate-limit.ts`). */
export let messageQuota: ClientNumber
export let syncQuota: ClientNumber
/** The round of the heartbeat in which the client was pinged last. */
export let pingRound: ClientNumber
/** Pings the client in this round of the heartbeat. */
export let pingClient: (client: Client<unknown>, ping: Ping, round: number) => void
/** True if the client was pinged, and has sent no byte since. */
export let isSilent: (client: Client<unknown>) => boolean
/** To be called for each frame of the client's. */
export let noteSignOfLife: (client: Client<unknown>) => void
/**
 * Takes the round trip, if the pong answers the latest ping.
 *
 * @returns false if it does not.
 */
export let takePong: (client: Client<unknown>, payload: Buffer) => boolean
/** To be called for each whole message of the client's. */
export let noteWholeMessage: (client: Client<unknown>) => void
/** How many bytes the client has sent since its last whole message. */
export let unfinishedBytes: (client: Client<unknown>) => number
/** When the client's permission ends, on the monotonic clock; undefined if it does not. */
export let expiresAtMonotonic: (client: Client<unknown>) => number | undefined
export let scopeOf: (client: Client<unknown>) => AsyncResource | undefined

/**
 * What users know of one connected client, and what the heartbeat and the rate limit keep of it. A
 * class, because there may be a hundred thousand clients: they share methods and listeners.
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
  /** The bytes read before the latest ping; undefined once the client has sent something. */
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
      const expected = '1000 to 1014 without 1004 to 1006, or 3000 to 4999'
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

  static {
    messageQuota = {
      get: (client) => client.#messageQuotaMs,
      set: (client, quotaMs) => { client.#messageQuotaMs = quotaMs }
    }
    syncQuota = {
      get: (client) => client.#syncQuotaMs,
      set: (client, quotaMs) => { client.#syncQuotaMs = quotaMs }
    }
    pingRound = {
      get: (client) => client.#pingRound,
      set: (client, round) => { client.#pingRound = round }
    }
    pingClient = (client, ping, round) => {
      client.#pingRound = round
      client.#pingedMs = performance.now()
      client.#bytesAtPing = bytesReadFrom(client)
      writePing(client, ping)
    }
    isSilent = (client) =>
      client.#bytesAtPing !== undefined && client.#bytesAtPing === bytesReadFrom(client)
    noteSignOfLife = (client) => { client.#bytesAtPing = undefined }
    takePong = (client, payload) => {
      if (client.#pingedMs === undefined || !isRound(payload, client.#pingRound)) return false
      const tookMs = performance.now() - client.#pingedMs
      client.#pingedMs = undefined
      if (!hostOf(client).wasHeldUp(client, tookMs)) client.rtt = tookMs
      return true
    }
    noteWholeMessage = (client) => { client.#bytesAtMessage = bytesReadFrom(client) }
    unfinishedBytes = (client) => bytesReadFrom(client) - client.#bytesAtMessage
    expiresAtMonotonic = (client) => client.#expiry?.dueMs
    scopeOf = (client) => client.#scope
  }
}

/** True if a ping's payload is the number of this round. */
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
 * Node builds a UUID from twenty strings, and V8 would keep them all: half a kilobyte. Read from
 * bytes, the id is one string.
 */
function createId (): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1')
}
