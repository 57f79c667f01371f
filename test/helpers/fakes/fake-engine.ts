import type { ConnectionEvents, EngineConnection } from '../../../src/cluster/redis/redis-client.js'
import { waitFor } from '../network/wait.js'

/** A command that has not been answered. */
export interface Asked {
  readonly line: string
  resolve (answer: unknown): void
  reject (err: Error): void
}

export interface FakeConnection {
  readonly asked: Asked[]
  readonly events: ConnectionEvents
  isClosed: boolean
}

/** An engine that leaves every connection and every command to the test. */
export interface FakeEngine {
  /** In the order in which they were opened. */
  readonly connections: readonly FakeConnection[]
  open (events: ConnectionEvents): EngineConnection
  /** The latest connection. */
  latest (): FakeConnection
  /** The latest connection becomes ready. */
  accept (): void
  /** Answers the next command of the latest connection. @returns the command. */
  answer (value: unknown): Promise<string>
  refuse (err: Error): Promise<string>
}

export function createFakeEngine (): FakeEngine {
  const connections: FakeConnection[] = []

  function latest (): FakeConnection {
    const connection = connections.at(-1)
    if (connection === undefined) throw new Error('nothing has been opened')
    return connection
  }

  async function next (): Promise<Asked> {
    await waitFor(() => latest().asked.length > 0, 'the next command')
    return latest().asked.shift() as Asked
  }

  return {
    connections,
    latest,
    open (events) {
      const connection: FakeConnection = { asked: [], events, isClosed: false }
      connections.push(connection)
      return {
        send: (args) => new Promise((resolve, reject) => {
          connection.asked.push({ line: args.join(' '), resolve, reject })
        }),
        close () { connection.isClosed = true }
      }
    },
    accept: () => latest().events.onReady(),
    async answer (value) {
      const { line, resolve } = await next()
      resolve(value)
      await settle()
      return line
    },
    async refuse (err) {
      const { line, reject } = await next()
      reject(err)
      await settle()
      return line
    }
  }
}

/** Lets everything happen that waits for nothing but promises. */
export async function settle (): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}
