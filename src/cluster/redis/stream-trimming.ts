/** The id of an entry: milliseconds by the clock of Redis, and a sequence number. */
export type StreamId = `${number}-${number}`

/** The id before the first entry. */
export const BEGINNING: StreamId = '0-0'

/** Decides which entries Redis may delete. The decision is sent along with every write. */
export interface Trimming {
  /** The arguments of XADD that trim the stream. */
  args (): string[]
  /** Records an entry that has been written or read, and its size. */
  noteEntry (id: StreamId, bytes: number): void
  /** Records the time of the Redis server: the id of an entry that has just been written. */
  noteTime (id: StreamId): void
  /** Trims by length from now on, because Redis does not know MINID. */
  trimByLength (): void
}

export interface TrimmingOptions {
  /** Bytes that Redis may keep. */
  maxBytes: number
  /** Entries that Redis keeps if it is older than 6.2. */
  maxLength: number
}

/**
 * Readers discard messages older than ten seconds. The other two seconds allow for a server whose
 * clock is behind.
 */
const KEEP_MS = 12_000
/** What an entry takes besides its payload, approximately. */
const ENTRY_BYTES = 100
/** The number of segments into which `maxBytes` is divided. */
const SEGMENT_COUNT = 64

/** A run of consecutive entries. */
interface Segment {
  /** The id of the first entry. */
  readonly id: StreamId
  bytes: number
}

/** Trims by age, and beyond `maxBytes` by size: Redis 6.2 or later, and Valkey. */
export function createTrimming ({ maxBytes, maxLength }: TrimmingOptions): Trimming {
  /** The entries of the stream that have been seen, the oldest first. */
  let segments: Segment[] = []
  let segmentBytes = 0
  let lastId: StreamId = BEGINNING
  /** Entries before this id are beyond `maxBytes`, and may be deleted. */
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

  /** Forgets the segments that are beyond `maxBytes`, and those that are too old. */
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
      // A smaller id shows that the stream has been replaced.
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

/** True if `one` is earlier in the stream than `other`. */
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
