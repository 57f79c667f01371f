import { test } from 'tap'
import { createBudget, createEnvironment, createTimer } from '../../../src/browser/environment.js'
import { createWorld } from '../../helpers/fakes/client-world.js'

class FakeSocket extends EventTarget {
  static readonly made: string[] = []
}

test('an environment', async (t) => {
  await t.test('defaults to the functions of browsers and Node.js', async (t) => {
    const monotonic = () => 5
    // @ts-expect-error: it is only looked at
    const environment = createEnvironment({ WebSocket: FakeSocket, monotonic })
    t.equal(environment.WebSocket, FakeSocket)
    t.equal(environment.monotonic(), 5)
    const beforeMs = Date.now()
    const wallMs = environment.wall()
    t.ok(wallMs >= beforeMs && wallMs <= Date.now(), `${wallMs}`)
    t.ok(environment.random() < 1)
    t.equal(environment.page, globalThis)
  })

  await t.test('has timers and a fetch that may be called as methods of the environment', async (t) => {
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

  await t.test('has clocks that stand still while their source returns no time', async (t) => {
    const readings = [NaN, 5, NaN, Infinity, 6]
    for (const name of ['monotonic', 'wall'] as const) {
      const left = [...readings]
      // @ts-expect-error: it is only looked at
      const environment = createEnvironment({ WebSocket: FakeSocket, [name]: () => left.shift() })
      t.strictSame(readings.map(() => environment[name]()), [0, 5, 5, 5, 6], name)
    }
  })

  await t.test('uses the WebSocket of Node.js if there is one', async (t) => {
    const { WebSocket } = globalThis
    t.teardown(() => { globalThis.WebSocket = WebSocket })
    // @ts-expect-error: it is only looked at
    globalThis.WebSocket = FakeSocket
    t.equal(createEnvironment().WebSocket, FakeSocket)
  })

  await t.test('has no WebSocket if the runtime has none', async (t) => {
    const { WebSocket } = globalThis
    t.teardown(() => { globalThis.WebSocket = WebSocket })
    // @ts-expect-error: as in Node 20
    globalThis.WebSocket = undefined
    t.equal(createEnvironment().WebSocket, undefined)
  })
})

test('a timer', async (t) => {
  function setUp () {
    const world = createWorld()
    const fired: [name: string, ms: number][] = []
    const fire = (name: string) => () => { fired.push([name, world.trueMs]) }
    return { world, timer: createTimer(world.environment), fired, fire }
  }

  await t.test('fires once, and at once if no delay is given', async (t) => {
    const { world, timer, fired, fire } = setUp()
    timer(fire('now'))
    await world.advance(10)
    timer(fire('later'), 100)
    await world.advance(1000)
    t.strictSame(fired, [['now', 0], ['later', 110]])
  })

  await t.test('forgets its earlier setting when it is set again', async (t) => {
    const { world, timer, fired, fire } = setUp()
    timer(fire('a'), 100)
    timer(fire('b'), 50)
    await world.advance(1000)
    t.strictSame([fired, world.timers], [[['b', 50]], { alive: 0, most: 1 }])
  })

  await t.test('is stopped by a call without a callback, any number of times', async (t) => {
    const { world, timer, fired, fire } = setUp()
    timer(fire('a'), 100)
    timer()
    timer()
    await world.advance(1000)
    t.strictSame([fired, world.timers.alive], [[], 0])
  })

  for (const ms of [2 ** 31, 1e12, Infinity]) {
    await t.test(`is not set to ${ms} ms, which would fire at once`, async (t) => {
      const { world, fire } = setUp()
      const lengths: number[] = []
      const setTimeout = (_callback: () => void, ms: number) => { lengths.push(ms) }
      createTimer({ ...world.environment, setTimeout })(fire('a'), ms)
      t.strictSame(lengths, [2 ** 31 - 1])
    })
  }
})

test('a budget', async (t) => {
  await t.test('grants its limit in any minute, and no more', async (t) => {
    const { world } = setUpBudget()
    const budget = createBudget(world.environment, 3)
    const granted: number[] = []
    for (let second = 0; second < 180; second++) {
      if (budget()) granted.push(second)
      await world.advance(1000)
    }
    t.strictSame(granted, [0, 1, 2, 60, 61, 62, 120, 121, 122])
  })

  await t.test('keeps a reserve for other callers', async (t) => {
    const { world } = setUpBudget()
    const budget = createBudget(world.environment, 3)
    t.strictSame([budget(2), budget(2), budget(1), budget(1), budget(), budget()],
      [true, false, true, false, true, false])
  })

  function setUpBudget () {
    return { world: createWorld() }
  }
})
