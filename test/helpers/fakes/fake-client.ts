import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { Client } from '../../../src/connections/client.js'
import type { ClientHost, ClientInfo } from '../../../src/connections/client-host.js'

/** A WebSocket of which one says how much waits, and sees what is sent. */
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

/** A client over a fake WebSocket, and over a socket if there is one. */
export function createFakeClient (
  host: Partial<ClientHost<object>> = {},
  { socket, ...given }: Partial<ClientInfo<object>> & { socket?: Socket } = {},
  protocol = ''
) {
  const ws = new FakeWebSocket()
  ws.protocol = protocol
  const info = { ip: '', port: 0, connectedAt: 0, context: {}, expiresMs: undefined, ...given }
  const client = new Client<object>(ws as unknown as WebSocket, socket, info, {
    counters: { frames: { sent: 0, skipped: 0 }, bytes: { sent: 0 } },
    maxBufferedBytes: 100,
    maxMessageBytes: 100,
    sending () {},
    wasHeldUp: () => false,
    received () {},
    receivedControl () {},
    closed () {},
    ...host
  })
  return { client, ws }
}
