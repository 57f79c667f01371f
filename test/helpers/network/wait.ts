import { setTimeout as sleep } from 'node:timers/promises'

const DEFAULT_LIMIT_MS = 60_000
/** What is to take no time may take as long on a busy machine: less than what it might wait for. */
export const SOON_MS = 2500

/** Resolves as `promise` does. @throws when it takes longer than `limitMs`. */
export async function within<Value> (
  promise: Promise<Value>, what: string, limitMs: number = DEFAULT_LIMIT_MS
): Promise<Value> {
  const timer = new AbortController()
  const expired = sleep(limitMs, undefined, { signal: timer.signal, ref: false }).then(() => {
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
    if (performance.now() > endMs) throw new Error(`${what} did not happen within ${limitMs} ms`)
    await sleep(everyMs)
  }
}
