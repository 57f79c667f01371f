import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import { systemTimers } from '../src/timers.js'
import { within } from './helpers/wait.js'

test('monotonic goes on, and only on', async (t) => {
  const readings = Array.from({ length: 1000 }, () => systemTimers.monotonic())
  t.ok(readings.every((reading, index) => index === 0 || reading >= Number(readings[index - 1])))
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.ok(systemTimers.monotonic() - Number(readings[0]) >= 19)
})

for (const name of ['after', 'soon'] as const) {
  /** Either, under one signature. */
  const start = (callback: () => void) =>
    name === 'after' ? systemTimers.after(5, callback) : systemTimers.soon(callback)

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

  test(`${name} does not call back once called off`, async (t) => {
    start(() => t.fail('called back'))()
    await new Promise((resolve) => setTimeout(resolve, 20))
  })
}

test('after does not keep the process alive', async (t) => {
  const script = 'setTimeout(() => {}, 60000).unref()'
  await within(promisify(execFile)(process.execPath, ['-e', script], { env: {} }), 'the end', 20_000)
  const timer: unknown[] = []
  const { setTimeout: original } = globalThis
  t.teardown(() => { globalThis.setTimeout = original })
  globalThis.setTimeout = ((...args: Parameters<typeof original>) => {
    const timeout = original(...args)
    timer.push(timeout)
    return timeout
  }) as typeof original
  systemTimers.after(60_000, () => {})
  t.equal((timer[0] as NodeJS.Timeout).hasRef(), false)
})
