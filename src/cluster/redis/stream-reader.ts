import type { Timers } from '../../util/timers.js'
import { createConnection } from './redis-connection.js'
import type { Argument, OpenConnection } from './redis-client.js'
import { BEGINNING, isBefore, rewind } from './stream-trimming.js'
import type { StreamId } from './stream-trimming.js'

/** Reads a stream from its end on, and goes on where it stopped after every interruption. */
export interface Reader {
  /** Resolves when the place is known from which it reads: nothing published later is missed. */
  readonly started: Promise<void>
  /** An entry has been written: it must come back soon, or this connection leads nowhere. */
  expect (id: StreamId): void
  /** Ends the connection. Nothing is delivered any more. */
  stop (): void
}

export interface ReaderOptions {
  open: OpenConnection
  key: string
  timers: Timers
  /** Takes the field `d` of each entry, empty if there is none. Never throws. */
  onEntry: (payload: Uint8Array, id: StreamId) => void
  onError: (err: unknown) => void
}

/** An entry as it comes: its id, and names and values of its fields by turns. */
type Entry = [id: Buffer, fields: Buffer[]]

/** Entries in one answer: large ones would otherwise fill the memory. */
const MAX_ENTRIES = 100
/** How long Redis waits for an entry before it answers that there is none. */
const BLOCK_MS = 2000
/** How much longer an answer may take before the connection counts as dead. */
const PATIENCE_MS = 5000
/** After so long, an entry that has been written must have come back. */
const ECHO_MS = 1000
/** How far before the newest entry reading begins in a stream that has been replaced. */
const REWIND_MS = 10_000
const FIELD = 'd'
const NOTHING = new Uint8Array()

export function createReader ({ open, key, timers, onEntry, onError }: ReaderOptions): Reader {
  let lastId: StreamId | undefined
  /** The first entry written that has not come back. */
  let expected: { id: StreamId, atMs: number } | undefined
  let isStopped = false
  let confirm: (() => void) | undefined
  const started = new Promise<void>((resolve) => { confirm = resolve })
  const connection = createConnection({
    open, key, answerMs: BLOCK_MS + PATIENCE_MS, timers, onReady: run, onError
  })

  /** Reads until the connection is lost or Redis refuses: then another connection goes on. */
  async function run (): Promise<void> {
    try {
      await verify()
      confirm?.()
      // Ends by an error, also when the reader is stopped.
      for (;;) await read()
    } catch (err) {
      if (isStopped) return
      onError(err)
      connection.replace(err)
    }
  }

  /** Finds out where to go on: elsewhere if the stream is not the one that was read before. */
  async function verify (): Promise<void> {
    const [newest] = await ask('XREVRANGE', key, '+', '-', 'COUNT', 1) as Entry[]
    const newestId = newest === undefined ? BEGINNING : idOf(newest)
    lastId ??= newestId
    if (!isBefore(newestId, lastId)) return
    lastId = rewind(newestId, REWIND_MS)
    expected = undefined
  }

  async function read (): Promise<void> {
    const from = ['COUNT', MAX_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', key, String(lastId)]
    const answer = await ask('XREAD', ...from) as [key: Buffer, entries: Entry[]][] | null
    for (const [, entries] of answer ?? []) entries.forEach(take)
    // Each server writes every second: if nothing comes, this may be the wrong place.
    if (answer !== null) return
    await verify()
    if (expected !== undefined && timers.monotonic() - expected.atMs >= ECHO_MS) {
      throw new Error('Redis does not deliver what was written: another one may have replaced it')
    }
  }

  function take (entry: Entry): void {
    if (isStopped) return
    const id = idOf(entry)
    lastId = id
    if (expected !== undefined && !isBefore(id, expected.id)) expected = undefined
    onEntry(payloadOf(entry), id)
  }

  function ask (...args: Argument[]): Promise<unknown> {
    return connection.send(args)
  }

  return {
    started,
    expect (id) {
      const hasCome = lastId !== undefined && !isBefore(lastId, id)
      if (!hasCome) expected ??= { id, atMs: timers.monotonic() }
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
