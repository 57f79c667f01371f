import { test } from 'tap'
import { createQueue } from '../../../../src/cluster/redis/write-queue.js'
import type { Queue } from '../../../../src/cluster/redis/write-queue.js'
import { createFakeTime } from '../../../helpers/fakes/fake-time.js'

const AGE_MS = 10_000

function setUp (maxBytes = 100) {
  const time = createFakeTime({ wallMs: 0 })
  const queue = createQueue({ maxAgeMs: AGE_MS, maxBytes, timers: time.timers })
  const ends: string[] = []
  function add (text: string): void {
    queue.add(Buffer.from(text)).then(
      () => ends.push(`${text} stored`), (err) => ends.push(`${text}: ${err.message}`)
    )
  }
  return { time, queue, ends, add }
}

/** Takes out everything that waits. */
function drain ({ shift }: Queue): string[] {
  const texts: string[] = []
  for (let first = shift(); first !== undefined; first = shift()) texts.push(String(first.payload))
  return texts
}

/** Takes out so many. */
function take ({ shift }: Queue, count: number) {
  return Array.from({ length: count }, () => shift()).filter((waiting) => waiting !== undefined)
}

const TOO_OLD = 'Redis has not accepted the message within 10000 ms'
const TOO_MUCH = 'more than 100 bytes are waiting for Redis'

test('returns payloads in the order in which they were added', async (t) => {
  const { queue, add } = setUp()
  for (const text of ['a', 'b', 'c']) add(text)
  t.strictSame([drain(queue), drain(queue)], [['a', 'b', 'c'], []])
})

test('puts payloads back in front of the others', async (t) => {
  const { queue, add } = setUp()
  for (const text of ['a', 'b', 'c']) add(text)
  queue.putBack(take(queue, 2), undefined)
  t.strictSame(drain(queue), ['a', 'b', 'c'])
})

test('drops payloads that have become too old, with the cause of the wait', async (t) => {
  const { time, queue, ends, add } = setUp()
  add('a')
  time.advance(1)
  add('b')
  time.advance(AGE_MS - 2)
  await undefined
  t.strictSame(ends, [])
  time.advance(1)
  await undefined
  t.strictSame(ends, [`a: ${TOO_OLD}`])
  time.advance(1)
  await undefined
  t.strictSame([ends.length, drain(queue), time.pendingCount], [2, [], 0])

  const failure = new Error('OOM')
  const given = queue.add(Buffer.from('c'))
  queue.putBack(take(queue, 1), failure)
  time.advance(AGE_MS)
  await t.rejects(given, { message: TOO_OLD, cause: failure })
})

test('drops payloads that are too old when they are put back', async (t) => {
  const { time, queue, ends, add } = setUp()
  add('a')
  const taken = take(queue, 1)
  time.advance(AGE_MS)
  add('b')
  queue.putBack(taken, undefined)
  await undefined
  t.strictSame([ends, drain(queue)], [[`a: ${TOO_OLD}`], ['b']])
})

test('drops the oldest payloads if there are too many bytes', async (t) => {
  const { queue, ends, add } = setUp()
  add('a')
  add('b'.repeat(60))
  add('c'.repeat(40))
  await undefined
  t.strictSame(ends, [`a: ${TOO_MUCH}`])
  queue.putBack(take(queue, 1), undefined)
  await undefined
  t.equal(drain(queue).length, 2)
})

test('drops a payload that is too large by itself', async (t) => {
  const { queue, add } = setUp()
  add('a')
  const large = queue.add(Buffer.alloc(101))
  await t.rejects(large, { message: TOO_MUCH })
  t.strictSame(drain(queue), [])
})

test('drops all payloads when it is cleared', async (t) => {
  const { time, queue, ends, add } = setUp()
  for (const text of ['a', 'b']) add(text)
  queue.clear(new Error('closed'))
  await undefined
  t.strictSame([ends, drain(queue), time.pendingCount], [['a: closed', 'b: closed'], [], 0])
})

test('returns very many payloads in order', async (t) => {
  const { queue, add } = setUp(1_000_000)
  const numbers = Array.from({ length: 5000 }, (_, index) => String(index))
  numbers.forEach(add)
  t.strictSame(drain(queue), numbers)
})
