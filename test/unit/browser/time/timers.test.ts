import { test } from 'tap'
import { createBudget, createTimer } from '../../../../src/browser/time/timers.js'
import { createWorld } from '../../../helpers/fakes/client-world.js'

test('a timer', async (t) => {
  function setUp () {
    const world = createWorld()
    const fired: [name: string, ms: number][] = []
    const fire = (name: string) => () => { fired.push([name, world.trueMs]) }
    return { world, timer: createTimer(world.environment), fired, fire }
  }

  await t.test('fires once, and at once where no time is given', async (t) => {
    const { world, timer, fired, fire } = setUp()
    timer(fire('now'))
    await world.advance(10)
    timer(fire('later'), 100)
    await world.advance(1000)
    t.strictSame(fired, [['now', 0], ['later', 110]])
  })

  await t.test('is one: what it was set to before is forgotten', async (t) => {
    const { world, timer, fired, fire } = setUp()
    timer(fire('a'), 100)
    timer(fire('b'), 50)
    await world.advance(1000)
    t.strictSame([fired, world.timers], [[['b', 50]], { alive: 0, most: 1 }])
  })

  await t.test('is stopped without a callback, again and again', async (t) => {
    const { world, timer, fired, fire } = setUp()
    timer(fire('a'), 100)
    timer()
    timer()
    await world.advance(1000)
    t.strictSame([fired, world.timers.alive], [[], 0])
  })

  for (const ms of [2 ** 31, 1e12, Infinity]) {
    await t.test(`is not set to ${ms} ms, which would be at once`, async (t) => {
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

  await t.test('keeps a reserve for others', async (t) => {
    const { world } = setUpBudget()
    const budget = createBudget(world.environment, 3)
    t.strictSame([budget(2), budget(2), budget(1), budget(1), budget(), budget()],
      [true, false, true, false, true, false])
  })

  function setUpBudget () {
    return { world: createWorld() }
  }
})
