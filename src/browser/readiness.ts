export interface ReadyOptions {
  /** Milliseconds by which the clock may be wrong. Default: whatever, if only it is known. */
  readonly error?: number | undefined
  /** Gives up. */
  readonly signal?: AbortSignal | undefined
}

/** Those who wait until the clock is good enough. */
export interface Readiness {
  wait (options?: ReadyOptions): Promise<void>
  /** To be called when the error may have become smaller, or an obstacle have arisen. */
  check (): void
}

/**
 * @param error milliseconds; Infinity while it is not known.
 * @param obstacle why it will not come about, if so.
 */
export function createReadiness (
  error: () => number, obstacle: () => string | false
): Readiness {
  const waiting = new Set<() => void>()

  return {
    wait: ({ error: wantedMs = Infinity, signal } = {}) => new Promise((resolve, reject) => {
      function check (): void {
        const why = obstacle()
        if (signal?.aborted) reject(signal.reason)
        else if (why) reject(new Error(why))
        else if (error() <= Math.min(wantedMs, Number.MAX_VALUE)) resolve()
        else return
        waiting.delete(check)
        signal?.removeEventListener('abort', check)
      }

      waiting.add(check)
      signal?.addEventListener('abort', check)
      check()
    }),
    check () {
      for (const check of waiting) check()
    }
  }
}
