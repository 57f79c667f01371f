import type { Timers } from '../util/timers.js'

/** Something that is due at an instant. */
export interface Due {
  /** The server's time, milliseconds since the Unix epoch. */
  readonly atMs: number
}

/**
 * Items that are due later. Iterates in the order in which they were added. Items may be added and
 * deleted during an iteration.
 */
export interface Agenda<Item extends Due> extends Iterable<Item> {
  readonly size: number
  add (item: Item): void
  /** Has no effect if the item is not on the agenda. */
  delete (item: Item): void
  /** Calls `onDue` for each item due at `nowMs`, without waiting for the timer. */
  fireDue (nowMs: number): void
  /** Deletes all items, and cancels the timer. */
  clear (): void
}

export interface AgendaOptions<Item extends Due> {
  /** The server's time, which may step forward or back. */
  now: () => number
  timers: Timers
  /**
   * Called once for each item that is still on the agenda when the clock has reached its time,
   * never before. Items that are due at the same time follow in the order in which they were added.
   */
  onDue: (item: Item) => void
}

/** The longest delay of the timer, so that clock steps and suspends are noticed. */
const MAX_SLEEP_MS = 1000

/** Uses one timer for all items, which runs only while there are any. */
export function createAgenda<Item extends Due> (
  { now, timers, onDue }: AgendaOptions<Item>
): Agenda<Item> {
  const items = new Set<Item>()
  /** When the first item is due; Infinity without items. */
  let firstMs = Infinity
  let cancel = (): void => {}

  function setTimer (): void {
    cancel()
    if (items.size === 0) return
    const remainingMs = Math.max(0, Math.ceil(firstMs - now()))
    cancel = timers.after(Math.min(remainingMs, MAX_SLEEP_MS), wake)
  }

  /** Must be called after items have been deleted. */
  function reschedule (): void {
    firstMs = Infinity
    for (const { atMs } of items) firstMs = Math.min(firstMs, atMs)
    setTimer()
  }

  function wake (): void {
    const nowMs = now()
    // `fireDue` sets the timer.
    if (nowMs >= firstMs) fireDue(nowMs)
    else setTimer()
  }

  function fireDue (nowMs: number): void {
    if (nowMs < firstMs) return
    const due = [...items].filter(({ atMs }) => atMs <= nowMs)
    try {
      for (const item of due.sort((a, b) => a.atMs - b.atMs)) {
        if (items.delete(item)) onDue(item)
      }
    } finally {
      // Also after an exception: the timer then calls `onDue` for the other items.
      reschedule()
    }
  }

  return {
    get size () {
      return items.size
    },
    [Symbol.iterator]: () => items.values(),
    add (item) {
      items.add(item)
      if (item.atMs >= firstMs) return
      firstMs = item.atMs
      setTimer()
    },
    delete (item) {
      if (items.delete(item) && item.atMs === firstMs) reschedule()
    },
    fireDue,
    clear () {
      items.clear()
      reschedule()
    }
  }
}
