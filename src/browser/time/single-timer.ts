import type { Environment } from '../environment.js'

/** Sets the timer, instead of what it was set to; without arguments, to nothing. */
export type Timer = (callback?: () => void, ms?: number) => void

/** Beyond it, timers fire at once. */
const MAX_MS = 2 ** 31 - 1

/** A timer, of which there is never more than one. It is early where `ms` exceeds 24 days. */
export function createTimer ({ setTimeout, clearTimeout }: Environment): Timer {
  let timer: unknown
  return (callback, ms = 0) => {
    clearTimeout(timer)
    timer = callback && setTimeout(callback, Math.min(ms, MAX_MS))
  }
}
