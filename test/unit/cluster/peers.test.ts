import { test } from 'tap'
import { createOrigins } from '../../../src/cluster/peers.js'
import { createFakeTime } from '../../helpers/fakes/fake-time.js'

const HOUR_MS = 3_600_000

function setUp () {
  const time = createFakeTime({ wallMs: 0 })
  return { time, origins: createOrigins(time.timers) }
}

test('follow', async (t) => {
  const sequences: [title: string, seqs: number[], answers: (number | undefined)[]][] = [
    ['misses nothing where each follows the one before', [1, 2, 3], [0, 0, 0]],
    ['begins with the first that comes, whatever its number', [7, 8], [0, 0]],
    ['counts what is missing', [1, 4, 5, 105], [0, 2, 0, 99]],
    ['leaves out what has come before', [1, 2, 2, 1, 3], [0, 0, undefined, undefined, 0]],
    ['leaves out what comes after a later one', [1, 3, 2, 4], [0, 1, undefined, 0]]
  ]
  for (const [title, seqs, answers] of sequences) {
    await t.test(title, async (t) => {
      const { origins } = setUp()
      t.strictSame(seqs.map((seq) => origins.follow('a', seq)), answers)
    })
  }

  await t.test('keeps origins apart', async (t) => {
    const { origins } = setUp()
    t.strictSame([origins.follow('a', 1), origins.follow('b', 5), origins.follow('a', 3)], [0, 0, 1])
  })
})

test('catchUp', async (t) => {
  await t.test('counts what is missing up to there, once', async (t) => {
    const { origins } = setUp()
    origins.follow('a', 1)
    t.strictSame([origins.catchUp('a', 4), origins.catchUp('a', 4), origins.follow('a', 5)], [3, 0, 0])
  })

  await t.test('says of an origin that is new where it begins', async (t) => {
    const { origins } = setUp()
    t.strictSame([origins.catchUp('a', 0), origins.follow('a', 2)], [0, 1])
  })

  await t.test('is not thrown back by one that comes late', async (t) => {
    const { origins } = setUp()
    origins.follow('a', 5)
    t.strictSame([origins.catchUp('a', 3), origins.follow('a', 5)], [0, undefined])
  })
})

test('an origin that is silent for an hour is forgotten, and no earlier', async (t) => {
  const { time, origins } = setUp()
  origins.follow('a', 1)
  time.advance(HOUR_MS - 1)
  origins.catchUp('b', 0)
  t.equal(origins.has('a'), true)
  time.advance(1)
  origins.catchUp('b', 0)
  t.strictSame([origins.has('a'), origins.has('b'), origins.count], [false, true, 1])
})

test('a thousand origins are known at most: the longest silent one is forgotten', async (t) => {
  const { origins } = setUp()
  for (let number = 0; number < 1000; number++) origins.follow(`origin ${number}`, 1)
  origins.catchUp('origin 0', 1)
  origins.follow('one more', 1)
  t.strictSame([origins.count, origins.has('origin 0'), origins.has('origin 1')], [1000, true, false])
})
