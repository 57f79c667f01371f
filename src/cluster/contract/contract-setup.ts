import type { Backplane } from '../../api/backplane.js'

/** An engine that is used only by the servers of one test. */
export interface BackplaneEngine {
  /** Connects one more server, and returns its backplane. */
  connect (): Backplane | Promise<Backplane>
}

/** What the author of a driver provides. Tests that need an absent hook are omitted. */
export interface BackplaneContractOptions<Engine extends BackplaneEngine> {
  /** Starts an engine, or opens a part of it that nothing else uses. Called once per test. */
  startEngine (): Engine | Promise<Engine>
  /** Called when a test is over. The backplanes have been closed by then. */
  closeEngine?: (engine: Engine) => unknown
  /**
   * Makes the engine unreachable while servers use it: kills or suspends it, or cuts the network.
   */
  stopEngine?: (engine: Engine) => unknown
  /** Makes the engine reachable again. Resolves when it can be used. Required with `stopEngine`. */
  restartEngine?: (engine: Engine) => unknown
  /** Returns true if everything that was passed to the driver, such as a client, still works. */
  isClientOpen?: (engine: Engine) => boolean | Promise<boolean>
  /**
   * Milliseconds within which `publish` settles while the engine is unreachable. Default 15 000.
   */
  maxSettleMs?: number
  /**
   * Milliseconds within which delivery resumes once the engine is reachable again. Default 20 000.
   */
  maxResumeMs?: number
  /**
   * The most bytes that a driver keeps while the engine is unreachable. Default 67 108 864
   * (64 MiB).
   */
  maxQueuedBytes?: number
}

/** One test: for `test(title, run)` of node:test, vitest, tap or any other runner. */
export interface BackplaneContractTest {
  readonly title: string
  /** Rejects if the driver breaks the contract. */
  run (): Promise<void>
}

/** What a test works with. */
export interface Setting<Engine extends BackplaneEngine> {
  readonly engine: Engine
  /** Connects one more server, and returns its backplane, which is closed after the test. */
  connect (): Promise<Backplane>
}

/** What a subscription has received. A payload that a driver repeats, as it may, counts once. */
export interface Subscription {
  readonly payloads: readonly Uint8Array[]
  readonly texts: readonly string[]
  readonly errors: readonly unknown[]
  readonly end: () => Promise<void>
}

/** The time limit of operations that should take no time, generous for a busy machine. */
export const PROMPT_MS = 2000
const LIMIT_MS = 10_000
const POLL_MS = 5

export function createContractTest<Engine extends BackplaneEngine> (
  { startEngine, closeEngine }: BackplaneContractOptions<Engine>,
  title: string,
  body: (setting: Setting<Engine>) => Promise<void>
): BackplaneContractTest {
  async function run (): Promise<void> {
    const engine = await startEngine()
    const backplanes: Backplane[] = []
    try {
      await body({
        engine,
        async connect () {
          const backplane = await engine.connect()
          backplanes.push(backplane)
          return backplane
        }
      })
    } finally {
      const closed = Promise.allSettled(backplanes.map((backplane) => backplane.close()))
      // The test already has its result. Another test checks that the driver closes.
      await Promise.race([closed, wait(PROMPT_MS)])
      await closeEngine?.(engine)
    }
  }
  return { title, run }
}

/** Subscribes, and records what arrives. */
export async function listen (backplane: Backplane): Promise<Subscription> {
  const payloads: Uint8Array[] = []
  const errors: unknown[] = []
  const known = new Set<string>()
  function keep (payload: Uint8Array): void {
    const content = Buffer.from(payload).toString('latin1')
    if (known.has(content)) return
    known.add(content)
    payloads.push(payload)
  }
  const subscribed = backplane.subscribe(keep, (err) => errors.push(err))
  const end = await within(subscribed, 'subscribe() must resolve', LIMIT_MS)
  return {
    payloads,
    errors,
    get texts () {
      return payloads.map((payload) => Buffer.from(payload).toString())
    },
    end
  }
}

/** Resolves with the result of `promise`. Rejects if that takes longer than `limitMs`. */
export async function within<Value> (
  promise: Promise<Value>, claim: string, limitMs: number
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const expired = new Promise<void>((resolve) => { timer = setTimeout(resolve, limitMs) })
  async function fail (): Promise<never> {
    await expired
    await readPendingInput()
    throw new Error(`${claim} within ${limitMs} ms`)
  }
  try {
    return await Promise.race([promise, fail()])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves when the condition holds. Rejects if that takes longer than `limitMs`. */
export async function until (
  condition: () => boolean, claim: string, limitMs: number = LIMIT_MS
): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > endMs) {
      await readPendingInput()
      if (condition()) return
      throw new Error(`${claim} within ${limitMs} ms`)
    }
    await wait(POLL_MS)
  }
}

/** After a stall of the process, timers fire before what has arrived meanwhile is read. */
async function readPendingInput (): Promise<void> {
  for (let turns = 0; turns < 2; turns++) {
    await new Promise<void>((resolve) => { setImmediate(resolve) })
  }
}

export function wait (ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function bytesOf (text: string): Uint8Array {
  return Buffer.from(text)
}
