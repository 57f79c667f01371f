import type { FastifyInstance } from 'fastify'
import { connect } from './peer.js'
import type { Peer } from './peer.js'
import { waitFor } from './wait.js'

export interface SlowReadersOptions {
  app: FastifyInstance
  url: string
  /** A certificate to trust, for `wss:`. */
  ca?: Buffer
  /** As many read as never do. */
  pairCount: number
  messageCount: number
  messageBytes: number
  /** Milliseconds between two broadcasts. */
  everyMs: number
}

/**
 * Broadcasts to clients of whom every other one never reads.
 *
 * @returns the good clients' messages, each shortened to its number.
 */
export async function runSlowReaders (
  { app, url, ca, pairCount, messageCount, messageBytes, everyMs }: SlowReadersOptions
) {
  const options = ca === undefined ? {} : { ca }
  const good: Peer[] = []
  for (let count = 0; count < pairCount; count++) {
    good.push(await connect(url, options))
    const slow = await connect(url, options)
    slow.ws.pause()
  }
  await waitFor(() => app.timeSocket.clients.size === 2 * pairCount, 'connecting')
  const numbers = good.map(({ ws, messages }) => {
    const seen: number[] = []
    ws.on('message', (data) => {
      messages.length = 0
      seen.push(Number(/^\d+/.exec(String(data))?.[0]))
    })
    return seen
  })
  for (let number = 0; number < messageCount; number++) {
    app.timeSocket.broadcast(`${number} `.padEnd(messageBytes, 'x'))
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  await waitFor(() => numbers.every(({ length }) => length === messageCount), 'the last message')
  return numbers
}
