import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { Client } from '../../../src/connections/client.js'
import type { ClientHost, ClientInfo } from '../../../src/connections/client.js'
import { listen } from '../../../src/connections/client-events.js'

/** A WebSocket whose buffered bytes the test sets, and whose messages it can see. */
export class FakeWebSocket extends EventEmitter {
  readonly OPEN = 1
  readyState = 1
  bufferedAmount = 0
  protocol = ''
  readonly sent: string[] = []
  isTerminated = false

  send (payload: Buffer, { compress = false } = {}): void {
    this.sent.push(`${payload}${compress ? ', compressed' : ''}`)
  }

  ping (payload: Buffer): void {
    this.sent.push(`ping ${payload.toString('hex')}`)
  }

  close (code: number): void {
    this.sent.push(`close ${code}`)
    this.readyState = 2
  }

  terminate (): void {
    this.isTerminated = true
    this.readyState = 2
  }
}

/** A client over a fake WebSocket, and over a TCP socket if one is given. */
export function createFakeClient (
  host: Partial<ClientHost<object>> = {},
  { socket, ...given }: Partial<ClientInfo<object>> & { socket?: Socket } = {},
  protocol = ''
) {
  const ws = new FakeWebSocket()
  ws.protocol = protocol
  const info = { ip: '', port: 0, connectedAt: 0, context: {}, expiry: undefined, ...given }
  const webSocket = ws as unknown as WebSocket
  const client = new Client<object>(webSocket, socket, info, {
    counters: { frames: { sent: 0, skipped: 0 }, bytes: { sent: 0 } },
    maxBufferedBytes: 100,
    maxMessageBytes: 100,
    now: () => 0,
    monotonic: () => 0,
    sendPendingDeliveries () {},
    wasStalled: () => false,
    onMessage () {},
    onControlFrame () {},
    onClosed () {},
    ...host
  })
  listen(webSocket, client)
  return { client, ws }
}
