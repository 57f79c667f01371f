import type { Timers } from '../../util/timers.js'
import type { Argument, EngineConnection, OpenConnection } from './redis-client.js'
import { explainError } from './redis-errors.js'

/** The driver's own connection to Redis, which is replaced whenever it is lost. */
export interface Connection {
  readonly isReady: boolean
  /**
   * Sends a command once. Rejects with an explained error: at once if the connection is not ready,
   * or when the connection is lost. In the latter case, Redis may or may not have executed the
   * command.
   */
  send (args: readonly Argument[]): Promise<unknown>
  /**
   * Ends the connection and opens another one, after a pause that grows until a command is
   * answered. Rejects unanswered commands with `cause`. Has no effect if the connection is not
   * ready.
   */
  replace (cause: unknown): void
  /** Ends the connection. Rejects unanswered commands. */
  close (): void
}

export interface ConnectionOptions {
  open: OpenConnection
  key: string
  /** How long an answer may take before the connection counts as dead. */
  answerMs: number
  timers: Timers
  onReady: () => void
  /** Called with the reason when a connection is lost, unless a command was rejected with it. */
  onError: (err: unknown) => void
}

/** A command that has not been answered. */
interface Unanswered {
  dueMs: number
  /**
   * What happens at `dueMs`. False: the time is extended once, so that an answer that has arrived
   * during a stall of the event loop is read. True: the connection counts as lost.
   */
  isExtended: boolean
  reject (err: unknown): void
}

/** How long connecting may take, authentication included. */
const CONNECT_MS = 5000
/**
 * The last part of the time for an answer begins when the timer fires. If the event loop has
 * stalled, it reads the answer that came meanwhile before that part ends.
 */
const LAST_MS = 1000
const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 1000

export function createConnection (
  { open, key, answerMs, timers, onReady, onError }: ConnectionOptions
): Connection {
  const lastMs = Math.min(LAST_MS, answerMs / 2)
  /** The commands in the order in which they were sent. */
  const unanswered = new Set<Unanswered>()
  let current: EngineConnection | undefined
  /** Changes with every connection, so that events of earlier connections are ignored. */
  let number = 0
  let isReady = false
  let pauseMs = MIN_PAUSE_MS
  let cancelConnecting: (() => void) | undefined
  let cancelWatch: (() => void) | undefined

  function connect (): void {
    const ownNumber = ++number
    cancelConnecting = timers.after(CONNECT_MS, () => {
      lose(new Error(`Redis has not accepted a connection within ${CONNECT_MS} ms`))
    })
    try {
      current = open({
        onReady () {
          if (ownNumber === number) becomeReady()
        },
        onLost (err) {
          if (ownNumber === number) lose(err)
        }
      })
    } catch (err) {
      lose(err)
    }
  }

  function becomeReady (): void {
    cancelConnecting?.()
    isReady = true
    onReady()
  }

  function lose (cause: unknown): void {
    const err = explainError(cause, key)
    const isReported = unanswered.size > 0
    reopen(err)
    if (!isReported) onError(err)
  }

  function reopen (err: unknown): void {
    end(err)
    cancelConnecting = timers.after(pauseMs, connect)
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)
  }

  function end (err: unknown): void {
    number++
    isReady = false
    cancelConnecting?.()
    cancelWatch?.()
    cancelWatch = undefined
    current?.close()
    current = undefined
    for (const { reject } of unanswered) reject(err)
    unanswered.clear()
  }

  /** Limits the time of the command that has waited longest. */
  function watch (): void {
    const [first] = unanswered
    if (first === undefined) return
    const leftMs = first.dueMs - timers.monotonic()
    if (leftMs <= 0) return expire(first)
    cancelWatch = timers.after(Math.ceil(leftMs), () => {
      cancelWatch = undefined
      watch()
    })
  }

  function expire (command: Unanswered): void {
    if (command.isExtended) return lose(new Error(`Redis has not answered within ${answerMs} ms`))
    command.isExtended = true
    command.dueMs = timers.monotonic() + lastMs
    watch()
  }

  async function exchange (
    connection: EngineConnection, args: readonly Argument[]
  ): Promise<unknown> {
    try {
      const answer = await connection.send(args)
      pauseMs = MIN_PAUSE_MS
      return answer
    } catch (err) {
      throw explainError(err, key)
    }
  }

  connect()

  return {
    get isReady () {
      return isReady
    },
    send (args) {
      const connection = current
      if (!isReady || connection === undefined) {
        return Promise.reject(new Error('there is no connection to Redis'))
      }
      return new Promise((resolve, reject) => {
        const dueMs = timers.monotonic() + answerMs - lastMs
        const command = { dueMs, isExtended: false, reject }
        unanswered.add(command)
        if (cancelWatch === undefined) watch()
        exchange(connection, args)
          .finally(() => unanswered.delete(command))
          .then(resolve, reject)
      })
    },
    replace (cause) {
      if (isReady) reopen(cause)
    },
    close () {
      end(new Error('the connection has been closed'))
    }
  }
}
