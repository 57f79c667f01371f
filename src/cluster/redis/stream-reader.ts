import type { Timers } from '../../util/timers.js'
import type { RedisClient } from './redis-client.js'
import { BEGINNING, isBefore, rewind } from './stream-id.js'
import type { StreamId } from './stream-id.js'

/** Reads a stream from its end on, and goes on where it stopped after every interruption. */
export interface Reader {
  /** Resolves when its place is fixed: nothing that is published from then on is missed. */
  readonly started: Promise<void>
  /** Ends its connection. Nothing is told any more. */
  stop (): void
}

export interface ReaderOptions {
  /** Of the application: it is duplicated, since reading blocks a connection. */
  client: RedisClient
  key: string
  timers: Timers
  /** Takes the field `d` of each entry, empty if it has none. Never throws. */
  onEntry: (payload: Uint8Array) => void
  onError: (err: unknown) => void
  /** The connection has come about. */
  onReady: () => void
}

/** An entry as it comes: its id, and names and values of its fields by turns. */
type Entry = [id: Buffer, fields: Buffer[]]

/** Entries in one answer: large ones would otherwise fill the memory. */
const MAX_ENTRIES = 100
/** How long Redis waits for an entry before it answers that there is none. */
const BLOCK_MS = 2000
/** How much longer an answer may take before the connection counts as dead. */
const PATIENCE_MS = 5000
const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 1000
/** How far before the newest entry reading begins in a stream that has been replaced. */
const REWIND_MS = 10_000
const FIELD = 'd'
const NOTHING = new Uint8Array()

/** What the connection needs, whatever the client of the application has been given. */
const CONNECTION_OPTIONS = {
  // What is under way when the connection ends fails at once, rather than hanging or coming twice.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: true,
  enableAutoPipelining: false,
  lazyConnect: false,
  protocol: 2,
  replyMapping: 'legacy',
  // A blocking command takes as long as it likes.
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  // There is nothing to wait for, least of all once it is stopped: by default two seconds.
  disconnectTimeout: 0,
  retryStrategy: (attempt: number) => Math.min(attempt * 100, MAX_PAUSE_MS)
}

export function createReader (
  { client, key, timers, onEntry, onError, onReady }: ReaderOptions
): Reader {
  const connection = client.duplicate(CONNECTION_OPTIONS)
  let lastId: StreamId | undefined
  let isVerified = false
  let isStopped = false
  let connectionError: unknown
  let endPause = (): void => {}

  connection.on('error', (err) => { connectionError = err })
  connection.on('close', () => { isVerified = false })
  connection.on('ready', () => {
    connectionError = undefined
    onReady()
  })

  async function run (confirm: () => void): Promise<void> {
    let pauseMs = MIN_PAUSE_MS
    while (!hasStopped()) {
      const err = await attempt(confirm)
      if (err === undefined) {
        pauseMs = MIN_PAUSE_MS
      } else if (!hasStopped()) {
        onError(connectionError ?? err)
        await pause(pauseMs)
        pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)
      }
    }
  }

  function hasStopped (): boolean {
    return isStopped
  }

  /** @returns why it failed, if it did. */
  async function attempt (confirm: () => void): Promise<unknown> {
    try {
      if (!isVerified) lastId = await verify()
      isVerified = true
      confirm()
      await read()
      return undefined
    } catch (err) {
      return err
    }
  }

  /** @returns where to go on: elsewhere if the stream is not the one that was read before. */
  async function verify (): Promise<StreamId> {
    const [newest] = await ask('XREVRANGE', [key, '+', '-', 'COUNT', 1]) as Entry[]
    const newestId = newest === undefined ? BEGINNING : idOf(newest)
    if (lastId === undefined) return newestId
    return isBefore(newestId, lastId) ? rewind(newestId, REWIND_MS) : lastId
  }

  async function read (): Promise<void> {
    const from = ['COUNT', MAX_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', key, String(lastId)]
    const answer = await ask('XREAD', from) as [key: Buffer, entries: Entry[]][] | null
    // Each server writes every second: if nothing comes, this may be the wrong place.
    if (answer === null) isVerified = false
    for (const [, entries] of answer ?? []) entries.forEach(take)
  }

  function take (entry: Entry): void {
    if (isStopped) return
    lastId = idOf(entry)
    onEntry(payloadOf(entry))
  }

  /** @throws when there is no answer in time: the connection is then replaced. */
  async function ask (command: string, args: (string | number)[]): Promise<unknown> {
    const cancel = timers.after(BLOCK_MS + PATIENCE_MS, () => {
      connectionError = new Error(`Redis has not answered ${command} in time`)
      connection.disconnect(true)
    })
    try {
      return await connection.callBuffer(command, args)
    } finally {
      cancel()
    }
  }

  function pause (ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = timers.after(ms, resolve)
      endPause = () => {
        cancel()
        resolve()
      }
    })
  }

  return {
    started: new Promise((resolve) => { run(resolve) }),
    stop () {
      isStopped = true
      endPause()
      connection.disconnect()
    }
  }
}

function idOf ([id]: Entry): StreamId {
  return String(id) as StreamId
}

function payloadOf ([, fields]: Entry): Uint8Array {
  const name = fields.findIndex((field, index) => index % 2 === 0 && String(field) === FIELD)
  return fields[name === -1 ? Infinity : name + 1] ?? NOTHING
}
