import { test } from 'tap'
import { createEnvironment } from '../../../src/browser/environment.js'
import type { Environment } from '../../../src/browser/environment.js'

class FakeSocket extends EventTarget {
  static readonly made: string[] = []
}

test('an environment', async (t) => {
  await t.test('is what browsers and Node have, unless something else is given', async (t) => {
    const monotonic = () => 5
    // @ts-expect-error: it is only looked at
    const environment = createEnvironment({ WebSocket: FakeSocket, monotonic })
    t.equal(environment.WebSocket, FakeSocket)
    t.equal(environment.monotonic(), 5)
    t.ok(Math.abs(environment.wall() - Date.now()) < 1000)
    t.ok(environment.random() < 1)
    t.equal(environment.page, globalThis)
  })

  await t.test('has timers and a fetch that may be called as its methods', async (t) => {
    // @ts-expect-error: it is only looked at
    const environment = createEnvironment({ WebSocket: FakeSocket })
    const startMs = environment.monotonic()
    await new Promise<void>((resolve) => {
      environment.clearTimeout(environment.setTimeout(() => t.fail('was cleared'), 1))
      environment.setTimeout(resolve, 5)
    })
    t.ok(environment.monotonic() - startMs >= 4)
    const { signal } = new AbortController()
    await t.rejects(environment.fetch('http://127.0.0.1:1/', {
      redirect: 'manual', cache: 'no-store', credentials: 'include', signal
    }))
  })

  await t.test('has clocks that stand still while they give no time', async (t) => {
    const readings = [NaN, 5, NaN, Infinity, 6]
    for (const name of ['monotonic', 'wall'] as const) {
      const left = [...readings]
      // @ts-expect-error: it is only looked at
      const environment = createEnvironment({ WebSocket: FakeSocket, [name]: () => left.shift() })
      t.strictSame(readings.map(() => environment[name]()), [0, 5, 5, 5, 6], name)
    }
  })

  await t.test('takes the WebSocket of Node where there is one', async (t) => {
    const { WebSocket } = globalThis
    t.teardown(() => { globalThis.WebSocket = WebSocket })
    // @ts-expect-error: it is only looked at
    globalThis.WebSocket = FakeSocket
    t.equal(createEnvironment().WebSocket, FakeSocket)
  })

  await t.test('takes the functions of a page as they are', async (t) => {
    // Types only: these do not fit where parameters are compared strictly.
    const page: Pick<Window, 'setTimeout' | 'clearTimeout' | 'fetch'> = globalThis.window
    const given: () => Partial<Environment> = () => page
    t.type(given, 'function')
  })

  await t.test('has no WebSocket where there is none', async (t) => {
    const { WebSocket } = globalThis
    t.teardown(() => { globalThis.WebSocket = WebSocket })
    // @ts-expect-error: as in Node 20
    globalThis.WebSocket = undefined
    t.equal(createEnvironment().WebSocket, undefined)
  })
})
