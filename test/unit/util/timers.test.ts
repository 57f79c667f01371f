import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { test } from 'tap'
import { systemTimers, timersIn } from '../../../src/util/timers.js'
import { within } from '../../helpers/network/wait.js'

test('monotonic never decreases', async (t) => {
  const readings = Array.from({ length: 1000 }, () => systemTimers.monotonic())
  t.ok(readings.every((reading, index) => index === 0 || reading >= Number(readings[index - 1])))
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.ok(systemTimers.monotonic() - Number(readings[0]) >= 19)
})

for (const name of ['after', 'afterKeepingAlive', 'soon'] as const) {
  /** Each, under one signature. */
  const start = (callback: () => void) =>
    name === 'soon' ? systemTimers.soon(callback) : systemTimers[name](5, callback)

  test(`${name} calls back once`, async (t) => {
    let count = 0
    const holding = setTimeout(() => {}, 1000)
    await within(new Promise<void>((resolve) => start(() => {
      count++
      resolve()
    })), 'the callback')
    await new Promise((resolve) => setTimeout(resolve, 20))
    clearTimeout(holding)
    t.equal(count, 1)
  })

  test(`${name} does not call back once cancelled`, async (t) => {
    start(() => t.fail('called back'))()
    await new Promise((resolve) => setTimeout(resolve, 20))
  })
}

for (const [name, isHolding] of [['after', false], ['afterKeepingAlive', true]] as const) {
  test(`${name} ${isHolding ? 'keeps' : 'does not keep'} the process alive`, async (t) => {
    const timers: NodeJS.Timeout[] = []
    const { setTimeout: original } = globalThis
    t.teardown(() => { globalThis.setTimeout = original })
    globalThis.setTimeout = ((...args: Parameters<typeof original>) => {
      const timeout = original(...args)
      timers.push(timeout)
      return timeout
    }) as typeof original
    const cancel = systemTimers[name](60_000, () => {})
    t.strictSame(timers.map((timer) => timer.hasRef()), [isHolding])
    cancel()
  })
}

test('timersIn calls back in the context of the scope, and its timers can be cancelled', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const scope = storage.run('scope', () => new AsyncResource('test'))
  const timers = timersIn(scope, systemTimers)
  const starts = {
    after: (callback: () => void) => timers.after(1, callback),
    hold: (callback: () => void) => timers.afterKeepingAlive(1, callback),
    soon: (callback: () => void) => timers.soon(callback)
  }
  const holding = setTimeout(() => {}, 10_000)
  for (const [name, start] of Object.entries(starts)) {
    storage.run('caller', () => start(() => t.fail('cancelled'))())
    const store = await new Promise((resolve) => {
      storage.run('caller', () => start(() => resolve(storage.getStore())))
    })
    t.equal(store, 'scope', name)
  }
  clearTimeout(holding)
})
