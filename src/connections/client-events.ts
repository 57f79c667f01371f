import type { WebSocket } from 'ws'
import { noteControlFrameRead, noteMessageRead, recordPong } from './client.js'
import type { Client } from './client.js'
import {
  closeAndStopReading, endingOf, hostOf, isOpen, noteControlFrameWritten, recordEnding, stopReading
} from './client-connection.js'
import { endingAfter, TOO_LARGE, TOO_SLOW } from './endings.js'
import * as codes from '../protocol/close-codes.js'

/**
 * Listens to the WebSocket of a client. All clients share one function for each event: closures
 * would cost hundreds of bytes a client.
 *
 * The `error` listener of @fastify/websocket is removed. It logs every malformed frame as an error,
 * and keeps the request alive as long as the connection.
 */
export function listen<Context> (ws: WebSocket, client: Client<Context>): void {
  (ws as ClientWebSocket)[kClient] = client
  ws.removeAllListeners('error')
  ws.on('error', onError)
  ws.on('message', onMessage)
  ws.on('ping', onPing)
  ws.on('pong', onPong)
  ws.on('close', onClose)
}

const kClient = Symbol('time-socket-client')

interface ClientWebSocket extends WebSocket {
  [kClient]: Client<unknown>
}

function clientOf (ws: WebSocket): Client<unknown> {
  return (ws as ClientWebSocket)[kClient]
}

/** ws has received an invalid frame, and closes the connection. */
function onError (this: WebSocket, err: Error & { code?: string }): void {
  const client = clientOf(this)
  recordEnding(client, endingAfter(err.code))
  stopReading(client)
}

/** @param data a Buffer, since `binaryType` keeps ws's default. Text is valid UTF-8. */
function onMessage (this: WebSocket, data: unknown, isBinary: boolean): void {
  const client = clientOf(this)
  const bytes = data as Buffer
  noteMessageRead(client)
  if (endingOf(client) !== undefined) stopReading(client)
  else if (bytes.length > hostOf(client).maxMessageBytes) closeAndStopReading(client, TOO_LARGE)
  else hostOf(client).onMessage(client, bytes, isBinary)
}

/** ws has answered the ping, or terminated the connection because too many pongs are buffered. */
function onPing (this: WebSocket, payload: Buffer): void {
  const client = clientOf(this)
  noteControlFrameRead(client, payload)
  noteControlFrameWritten(client, payload)
  if (!isOpen(client)) recordEnding(client, TOO_SLOW)
  onControlFrame(client)
}

function onPong (this: WebSocket, payload: Buffer): void {
  const client = clientOf(this)
  noteControlFrameRead(client, payload)
  if (!recordPong(client, payload)) onControlFrame(client)
}

function onControlFrame (client: Client<unknown>): void {
  if (endingOf(client) !== undefined) stopReading(client)
  else hostOf(client).onControlFrame(client)
}

/** @param reason the client's reason; empty if the connection was lost. */
function onClose (this: WebSocket, code: number, reason: Buffer): void {
  const client = clientOf(this)
  const cause = code === codes.ABNORMAL_CLOSURE ? 'network' : 'client'
  const info = endingOf(client) ?? { code, reason: reason.toString(), cause }
  hostOf(client).onClosed(client, info)
}
