import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemTimers } from '../../../src/util/timers.js'
import { createFakeTime } from './fake-time.js'
import type { FakeTime } from './fake-time.js'

const START_MS = Date.UTC(2026, 0)
const STEP_MS = 10
/** After so much simulated time, what is waited for will not happen. */
const LIMIT_MS = 600_000

/** What is needed of tap's test object. */
interface Test {
  teardown (callback: () => unknown): unknown
}

/**
 * Until the test ends, time sockets that are registered from now on run on simulated time; sockets
 * and turns of the event loop stay real. Pass `clock` as the option of the same name.
 */
export function simulateTimers (t: Test): FakeTime {
  const time = createFakeTime({ wallMs: START_MS })
  const { monotonic, after, afterKeepingAlive } = systemTimers
  t.teardown(() => Object.assign(systemTimers, { monotonic, after, afterKeepingAlive }))
  Object.assign(systemTimers, {
    monotonic: time.timers.monotonic,
    after: time.timers.after,
    afterKeepingAlive: time.timers.afterKeepingAlive
  })
  return time
}

/**
 * Lets simulated time pass until the promise is settled.
 *
 * @returns how many milliseconds that took.
 */
export async function passUntil (promise: Promise<unknown>, time: FakeTime): Promise<number> {
  let isSettled = false
  const settle = () => { isSettled = true }
  promise.then(settle, settle)
  for (let ms = 0; ms <= LIMIT_MS; ms += STEP_MS) {
    await nextTurn()
    if (isSettled) return ms
    time.advance(STEP_MS)
  }
  throw new Error(`not settled after ${LIMIT_MS} simulated ms`)
}
