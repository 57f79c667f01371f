import type { Peer, World } from './client-world.js'

export interface TimeServerOptions {
  /** Milliseconds that a message takes, each way. Default 20. */
  delayMs?: number
  /** By how much its clock is ahead. Default 0. */
  aheadMs?: number
  server?: string
  clockSteps?: number
  interval?: number
}

/**
 * Serves a simulated client as a time socket does: lets it in, greets it, answers what it asks,
 * ticks. The fields may be changed at any time.
 */
export interface TimeServer extends Required<TimeServerOptions> {
  /** Lets this client in, from now on. */
  serve (peer: Peer): void
  /** Sends something as if it had been sent `delayMs` ago. */
  send (message: object): void
  now (): number
  /** What it answers to a plain `GET` that carries this id. */
  answer (id: number): object
}

export function createTimeServer (world: World, options: TimeServerOptions = {}): TimeServer {
  let served: Peer | undefined
  let count = 0

  /**
   * Delays each message slightly differently: on a perfectly regular network, the clock could not
   * measure the resolution of the device's clock.
   */
  function later (callback: () => void): void {
    count++
    world.later(server.delayMs + count * 37 % 101 / 1000, callback)
  }

  const server: TimeServer = {
    delayMs: 20,
    aheadMs: 0,
    server: 'k3f9x2ab',
    clockSteps: 0,
    interval: 5000,
    ...options,
    now: () => world.serverNow() + server.aheadMs,
    answer: (id) => ({
      now: server.now(),
      hold: 0,
      interval: server.interval,
      clockSteps: server.clockSteps,
      server: server.server,
      protocols: ['time.v1'],
      id
    }),
    serve (peer) {
      served = peer
      peer.onText = (text) => {
        const { type, id } = JSON.parse(text)
        if (type !== 'sync') return
        later(() => {
          server.send({ type: 'sync', id, at: server.now(), hold: 0, clockSteps: server.clockSteps })
        })
      }
      peer.accept()
      server.send(
        { type: 'hello', server: server.server, interval: server.interval, clockSteps: server.clockSteps }
      )
    },
    send (message) {
      const peer = served
      later(() => peer?.send(message))
    }
  }
  return server
}
