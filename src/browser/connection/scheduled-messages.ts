import type { DisplayedClock } from '../time/displayed-clock.js'
import type { Cancel, Timetable } from '../time/timetable.js'
import { isTime } from './received.js'
import type { Received } from './received.js'

/** The messages that take effect later. Each is fired once. */
export interface ScheduledMessages {
  /** @param text the message as received. The same text again is the same message. */
  add (message: Received, text: string): void
  /** Withdraws the pending message with this key. */
  cancel (key: unknown): void
  /**
   * Withdraws the pending messages. Must be called when a server has said hello: the server then
   * sends its pending messages again.
   */
  onHello (): void
}

interface Entry {
  readonly text: string
  readonly dueMs: number
  readonly cancel: Cancel
}

/** The assumed largest difference between this clock and the server's. */
const MAX_ERROR_MS = 1000
/** A server has at most 1000 pending broadcasts. Further entries are recent ones. */
const MAX_ENTRIES = 10_000

export function createScheduledMessages (
  timetable: Timetable, { now, error }: DisplayedClock, onDue: (data: unknown) => void
): ScheduledMessages {
  /**
   * By key; messages without a key by their text. Recent entries are kept, so that repeats are
   * recognized.
   */
  const entries = new Map<unknown, Entry>()

  let forgottenMs = -Infinity

  /** Forgets the entries that are no longer recent, at most once a second. */
  function forgetOld (): void {
    const nowMs = now()
    if (Math.abs(nowMs - forgottenMs) < MAX_ERROR_MS) return
    forgottenMs = nowMs
    for (const [id, { dueMs }] of entries) {
      if (dueMs < nowMs - 2 * MAX_ERROR_MS) entries.delete(id)
    }
  }

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
      forgetOld()
      if (entries.size >= MAX_ENTRIES) return
      entries.set(id, { text, dueMs: at, cancel: timetable.at(at, () => onDue(data)) })
    },
    cancel,
    onHello () {
      // A message that is due about now may have fired on one side and not yet on the other.
      const soonMs = now() + Math.min(error(), MAX_ERROR_MS)
      for (const [id, { dueMs }] of entries) if (dueMs > soonMs) cancel(id)
    }
  }
}
