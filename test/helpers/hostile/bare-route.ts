import websocket from '@fastify/websocket'
import type { FastifyInstance, preValidationAsyncHookHandler } from 'fastify'
import type { WebSocket } from 'ws'
import type { State } from './server-process.js'

export interface BareOptions {
  /** Milliseconds between two ticks. */
  interval: number
  /** Milliseconds between two pings. */
  heartbeat: { readonly interval: number } | undefined
  preValidation: preValidationAsyncHookHandler
  answerTo: (message: string) => string | Buffer
  /** Called when all have been pinged. */
  onPing: () => void
}

/**
 * A route of `@fastify/websocket` at `/time` as it is commonly written, by that package's README
 * and, as to the heartbeat, that of ws.
 *
 * @returns a function that tells how its clients are.
 */
export async function registerBare (
  app: FastifyInstance, { interval, heartbeat, preValidation, answerTo, onPing }: BareOptions
): Promise<() => State> {
  const closed = { heartbeat: 0, others: 0 }
  const alive = new Map<WebSocket, boolean>()
  await app.register(websocket)
  app.get('/time', { websocket: true, preValidation }, (socket) => {
    alive.set(socket, true)
    socket.on('pong', () => alive.set(socket, true))
    const timer = setInterval(() => socket.send(new Date().toISOString()), interval)
    socket.on('close', () => {
      clearInterval(timer)
      if (alive.delete(socket)) closed.others++
    })
    socket.on('message', (data) => socket.send(answerTo(String(data))))
  })

  function ping (): void {
    for (const [socket, isAlive] of alive) {
      if (!isAlive) {
        alive.delete(socket)
        closed.heartbeat++
        socket.terminate()
        continue
      }
      alive.set(socket, false)
      socket.ping()
    }
    onPing()
  }

  if (heartbeat !== undefined) setInterval(ping, heartbeat.interval).unref()
  return () => ({ clients: alive.size, closed, rtts: [] })
}
