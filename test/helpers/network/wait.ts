import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

const DEFAULT_LIMIT_MS = 180_000
/** A generous limit for what happens at once. A timer that could do the same must take longer. */
export const SOON_MS = 20_000

/** Resolves as `promise` does. @throws when it takes longer than `limitMs`. */
export async function within<Value> (
  promise: Promise<Value>, what: string, limitMs: number = DEFAULT_LIMIT_MS
): Promise<Value> {
  const timer = new AbortController()
  const expired = sleep(limitMs, undefined, { signal: timer.signal, ref: false }).then(async () => {
    await readPendingInput()
    throw new Error(`${what} did not happen within ${limitMs} ms`)
  })
  try {
    return await Promise.race([promise, expired])
  } finally {
    timer.abort()
    expired.catch(() => {})
  }
}

/**
 * Resolves when the condition holds. @throws when it does not do so within `limitMs`.
 *
 * @param everyMs between two looks: more where a look costs a process much.
 */
export async function waitFor (
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs: number = DEFAULT_LIMIT_MS,
  everyMs: number = 5
): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!await condition()) {
    if (performance.now() > endMs) {
      await readPendingInput()
      if (await condition()) return
      throw new Error(`${what} did not happen within ${limitMs} ms`)
    }
    await sleep(everyMs)
  }
}

/** After a stall of the process, timers fire before what has arrived meanwhile is read. */
async function readPendingInput (): Promise<void> {
  await nextTurn()
  await nextTurn()
}
