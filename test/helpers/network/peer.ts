import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import WebSocket from 'ws'
import type { ClientOptions } from 'ws'
import { waitFor, within } from './wait.js'

/** The other end of a connection, which keeps whatever it is told. */
export interface Peer {
  readonly ws: WebSocket
  /** All messages so far: text as string, binary as Buffer. */
  readonly messages: (string | Buffer)[]
  /** Resolves with code and reason when the connection has ended. */
  readonly closed: Promise<[code: number, reason: string]>
  /** Resolves with all messages when there are `count` of them. */
  received (count: number): Promise<(string | Buffer)[]>
}

/** Connects through the application, without a network. */
export async function inject (
  app: FastifyInstance, path = '/time', context: object = {}
): Promise<Peer> {
  let peer: Peer | undefined
  await app.injectWS(path, context, {
    // Earlier than the promise: what the server sends at once would be lost.
    onInit (ws) {
      peer = listenTo(ws)
    }
  })
  injected.set(app, [...injected.get(app) ?? [], peer as Peer])
  return peer as Peer
}

/** Ends what was injected: left alone, each holds the process for ws's close timeout. */
export function terminateInjected (app: FastifyInstance): void {
  for (const { ws } of injected.get(app) ?? []) ws.terminate()
}

const injected = new WeakMap<FastifyInstance, Peer[]>()

/** Connects over a real socket; rejects when the handshake fails. */
export async function connect (
  url: string, { protocols = [], ...options }: ClientOptions & { protocols?: string[] } = {}
): Promise<Peer> {
  const ws = new WebSocket(url, protocols, options)
  const peer = listenTo(ws)
  await within(once(ws, 'open'), `opening ${url}`)
  return peer
}

/** Tries to connect. @returns the HTTP answer that refused it. */
export async function refused (
  url: string, protocols: string[] = [], options: ClientOptions = {}
): Promise<{ status: number, headers: IncomingMessage['headers'], body: string }> {
  const ws = new WebSocket(url, protocols, options)
  ws.on('open', () => ws.terminate())
  const [, response] = await within(
    once(ws, 'unexpected-response') as Promise<[unknown, IncomingMessage]>, 'the refusal'
  )
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}

function listenTo (ws: WebSocket): Peer {
  const messages: (string | Buffer)[] = []
  ws.on('message', (data, isBinary) => messages.push(isBinary ? data as Buffer : String(data)))
  ws.on('error', () => {})
  const closed = new Promise<[number, string]>((resolve) => {
    ws.on('close', (code, reason) => resolve([code, String(reason)]))
  })
  return {
    ws,
    messages,
    get closed () {
      return within(closed, 'the end of the connection')
    },
    async received (count) {
      await waitFor(() => messages.length >= count, `message ${count}`)
      return messages
    }
  }
}
