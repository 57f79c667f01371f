import type { Surroundings } from './contender.js'

/**
 * Packages that take timers and chance from the global object get simulated ones, for as long as
 * the process runs: there is one run at a time.
 */
export function replaceGlobals ({ after, uniform }: Surroundings): void {
  const cancel = (call: unknown) => { if (typeof call === 'function') call() }
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, ms = 0) => after(ms, callback),
    clearTimeout: cancel,
    setInterval (callback: () => void, ms: number) {
      let stop = after(ms, function again () {
        stop = after(ms, again)
        callback()
      })
      return () => stop()
    },
    clearInterval: cancel
  })
  Math.random = uniform
}
