/** True time, and what is to happen in it. */
export interface Timeline {
  /** Milliseconds since the beginning. */
  readonly nowMs: number
  /** Calls back at a moment. @returns a function that calls it off. */
  at (dueMs: number, callback: () => void): () => void
  /** Lets time pass until then; whatever waits for promises gets on between two moments. */
  run (untilMs: number): Promise<void>
}

interface Entry {
  readonly dueMs: number
  readonly callback: () => void
}

export function createTimeline (): Timeline {
  let nowMs = 0
  const entries = new Set<Entry>()

  function next (untilMs: number): Entry | undefined {
    let first: Entry | undefined
    for (const entry of entries) {
      if (entry.dueMs <= untilMs && !(first && first.dueMs <= entry.dueMs)) first = entry
    }
    return first
  }

  /** Waits until every chain of promises has come to its end. */
  async function settle (): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }

  return {
    get nowMs () {
      return nowMs
    },
    at (dueMs, callback) {
      const entry = { dueMs: Math.max(dueMs, nowMs), callback }
      entries.add(entry)
      return () => { entries.delete(entry) }
    },
    async run (untilMs) {
      await settle()
      for (let entry = next(untilMs); entry !== undefined; entry = next(untilMs)) {
        entries.delete(entry)
        nowMs = entry.dueMs
        entry.callback()
        await settle()
      }
      nowMs = untilMs
    }
  }
}
