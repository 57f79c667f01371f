/** The place of an entry in a stream: milliseconds of the clock of Redis, and a number. */
export type StreamId = `${number}-${number}`

/** Before the first entry. */
export const BEGINNING: StreamId = '0-0'

/** Decides what Redis may forget of a stream, and says so with every message written. */
export interface Trimming {
  /** The arguments of XADD that trim the stream. */
  args (): string[]
  /** An entry has been written or read: it takes so many bytes. */
  noteEntry (id: StreamId, bytes: number): void
  /** An entry has been written: this is what the clock of Redis shows. */
  noteTime (id: StreamId): void
  /** Redis does not know MINID: trims by length from now on. */
  trimByLength (): void
}

export interface TrimmingOptions {
  /** Bytes that Redis may keep. */
  maxBytes: number
  /** Entries that Redis keeps if it is older than 6.2. */
  maxLength: number
}

/**
 * Readers discard messages older than ten seconds. The rest is for messages that were sent in the
 * same second by a server whose clock is behind.
 */
const KEEP_MS = 12_000
/** What an entry takes besides its payload, roughly. */
const ENTRY_BYTES = 100
/** Into so many parts the bytes are divided. */
const SEGMENT_COUNT = 64

/** Entries that follow one another. */
interface Segment {
  /** Of the first entry. */
  readonly id: StreamId
  bytes: number
}

/** Trims by age, and beyond `maxBytes` by size: Redis 6.2 or later, and Valkey. */
export function createTrimming ({ maxBytes, maxLength }: TrimmingOptions): Trimming {
  /** What the stream holds, as far as it was seen, the oldest first. */
  let segments: Segment[] = []
  let segmentBytes = 0
  let lastId: StreamId = BEGINNING
  /** By the size of the stream, everything before may go. */
  let floorId: StreamId = BEGINNING
  let isByLength = false

  function addBytes (id: StreamId, bytes: number): void {
    const last = segments.at(-1)
    segmentBytes += bytes
    if (last === undefined || last.bytes + bytes > maxBytes / SEGMENT_COUNT) {
      segments.push({ id, bytes })
    } else {
      last.bytes += bytes
    }
  }

  /** Forgets the segments that are beyond the size, and those that are too old. */
  function forget (): void {
    const oldestId = rewind(lastId, KEEP_MS)
    while (segments[1] !== undefined) {
      const isTooMuch = segmentBytes > maxBytes
      if (!isTooMuch && isBefore(oldestId, segments[1].id)) return
      if (isTooMuch) floorId = segments[1].id
      segmentBytes -= segments.shift()?.bytes ?? 0
    }
  }

  return {
    args () {
      if (isByLength) return ['MAXLEN', '~', String(maxLength)]
      const oldestId = rewind(lastId, KEEP_MS)
      return ['MINID', '~', isBefore(oldestId, floorId) ? floorId : oldestId]
    },
    noteEntry (id, bytes) {
      // The stream has been replaced.
      if (isBefore(id, segments.at(-1)?.id ?? BEGINNING)) {
        segments = []
        segmentBytes = 0
        floorId = BEGINNING
      }
      lastId = id
      addBytes(id, bytes + ENTRY_BYTES)
      forget()
    },
    noteTime (id) {
      lastId = id
    },
    trimByLength () {
      isByLength = true
    }
  }
}

/** Whether the one stands before the other. */
export function isBefore (one: StreamId, other: StreamId): boolean {
  const [[oneMs, oneSeq], [otherMs, otherSeq]] = [partsOf(one), partsOf(other)]
  return oneMs < otherMs || (oneMs === otherMs && oneSeq < otherSeq)
}

/** The id that is `ms` milliseconds older. */
export function rewind (id: StreamId, ms: number): StreamId {
  return `${Math.max(0, partsOf(id)[0] - ms)}-0`
}

function partsOf (id: StreamId): [ms: number, seq: number] {
  const [ms, seq] = id.split('-')
  return [Number(ms), Number(seq)]
}
