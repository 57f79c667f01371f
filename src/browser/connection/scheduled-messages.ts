import { isTime } from './read-message.js'
import type { Received } from './read-message.js'
import type { Slew } from '../time/displayed-clock.js'
import type { Cancel, Timetable } from '../time/timetable.js'

/** The messages that take effect later, each once. */
export interface Scheduled {
  /** @param text as it came: a message that comes again as the same text is the same message. */
  add (message: Received, text: string): void
  /** Withdraws the pending message with this key. */
  cancel (key: unknown): void
  /** A server has greeted us: it sends whatever is pending there, again or not. */
  rejoin (): void
}

interface Entry {
  readonly text: string
  readonly dueMs: number
  readonly cancel: Cancel
}

/** The most by which our clock and the server's are taken to differ. */
const MAX_ERROR_MS = 1000

export function createScheduled (
  timetable: Timetable, { now, error }: Slew, onDue: (data: unknown) => void
): Scheduled {
  /** By their key, or else their text. Those that were due lately are kept, to be known again. */
  const entries = new Map<unknown, Entry>()

  function cancel (id: unknown): void {
    entries.get(id)?.cancel()
    entries.delete(id)
  }

  return {
    add ({ at, key, data }, text) {
      const id = key ?? text
      if (entries.get(id)?.text === text) return
      cancel(id)
      if (at === undefined) onDue(data)
      if (!isTime(at)) return
      for (const [id, { dueMs }] of entries) {
        if (dueMs < now() - 2 * MAX_ERROR_MS) entries.delete(id)
      }
      entries.set(id, { text, dueMs: at, cancel: timetable.at(at, () => onDue(data), true) })
    },
    cancel,
    rejoin () {
      // One that is due about now may be over there and not here, or here and not there.
      const soonMs = now() + Math.min(error(), MAX_ERROR_MS)
      for (const [id, { dueMs }] of entries) if (dueMs > soonMs) cancel(id)
    }
  }
}
