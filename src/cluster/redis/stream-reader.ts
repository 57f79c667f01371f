import type { Timers } from '../../util/timers.js'
import { createConnection } from './redis-connection.js'
import type { Argument, OpenConnection } from './redis-client.js'
import { BEGINNING, isBefore, rewind } from './stream-trimming.js'
import type { StreamId } from './stream-trimming.js'

/** Reads the new entries of a stream, and resumes where it stopped after every interruption. */
export interface Reader {
  /** Resolves when the start position is known: no entry published after that is missed. */
  readonly started: Promise<void>
  /**
   * Notes that an entry has been written. If the reader does not receive this entry soon, it
   * replaces the connection.
   */
  expect (id: StreamId): void
  /** Ends the connection. Nothing is delivered any more. */
  stop (): void
}

export interface ReaderOptions {
  open: OpenConnection
  key: string
  timers: Timers
  /** Called with the field `d` of each entry; empty if the entry has none. Never throws. */
  onEntry: (payload: Uint8Array, id: StreamId) => void
  onError: (err: unknown) => void
}

/** An entry as Redis returns it: its id, then the names and values of its fields, alternating. */
type Entry = [id: Buffer, fields: Buffer[]]

/** The most entries in one answer, so that large entries do not fill the memory. */
const MAX_ENTRIES = 100
/** How long Redis waits for an entry before it answers that there is none. */
const BLOCK_MS = 2000
/** How much later an answer may arrive before the connection counts as dead. */
const PATIENCE_MS = 5000
/** How long it may take until a written entry is read. */
const ECHO_MS = 1000
/** In a replaced stream, reading begins this long before the newest entry. */
const REWIND_MS = 10_000
const FIELD = 'd'
const NOTHING = new Uint8Array()

export function createReader ({ open, key, timers, onEntry, onError }: ReaderOptions): Reader {
  let lastId: StreamId | undefined
  /** The first written entry that has not been read. */
  let expected: { id: StreamId, atMs: number } | undefined
  let isStopped = false
  let confirm: (() => void) | undefined
  const started = new Promise<void>((resolve) => { confirm = resolve })
  const connection = createConnection({
    open, key, answerMs: BLOCK_MS + PATIENCE_MS, timers, onReady: run, onError
  })

  /**
   * Reads until the connection is lost or Redis returns an error. The next connection then
   * continues.
   */
  async function run (): Promise<void> {
    try {
      await verify()
      confirm?.()
      // Ends with an error, even when the reader is stopped.
      for (;;) await read()
    } catch (err) {
      if (isStopped) return
      onError(err)
      connection.replace(err)
    }
  }

  /**
   * Determines where to resume. If the stream has been replaced, that is a position in the new one.
   */
  async function verify (): Promise<void> {
    const [newest] = await query('XREVRANGE', key, '+', '-', 'COUNT', 1) as Entry[]
    const newestId = newest === undefined ? BEGINNING : idOf(newest)
    lastId ??= newestId
    if (!isBefore(newestId, lastId)) return
    lastId = rewind(newestId, REWIND_MS)
    expected = undefined
  }

  async function read (): Promise<void> {
    const from = ['COUNT', MAX_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', key, String(lastId)]
    const answer = await query('XREAD', ...from) as [key: Buffer, entries: Entry[]][] | null
    for (const [, entries] of answer ?? []) entries.forEach(handleEntry)
    // Each server writes every second. If nothing arrives, the stream may have been replaced.
    if (answer !== null) return
    await verify()
    if (expected !== undefined && timers.monotonic() - expected.atMs >= ECHO_MS) {
      throw new Error('Redis does not return an entry that was written: ' +
        'another Redis server may have taken over')
    }
  }

  function handleEntry (entry: Entry): void {
    if (isStopped) return
    const id = idOf(entry)
    lastId = id
    if (expected !== undefined && !isBefore(id, expected.id)) expected = undefined
    onEntry(payloadOf(entry), id)
  }

  function query (...args: Argument[]): Promise<unknown> {
    return connection.send(args)
  }

  return {
    started,
    expect (id) {
      const wasRead = lastId !== undefined && !isBefore(lastId, id)
      if (!wasRead) expected ??= { id, atMs: timers.monotonic() }
    },
    stop () {
      isStopped = true
      connection.close()
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
