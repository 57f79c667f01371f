import { test } from 'tap'
import { createQueue } from '../../../../src/cluster/redis/write-queue.js'
import type { Waiting } from '../../../../src/cluster/redis/write-queue.js'
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

function texts (waiting: readonly Waiting[]): string[] {
  return waiting.map(({ payload }) => String(payload))
}

const TOO_OLD = 'Redis has not taken the message within 10000 ms'
const TOO_MUCH = 'more than 100 bytes wait for Redis'

test('gives out what was added first, in order', async (t) => {
  const { queue, add } = setUp()
  for (const text of ['a', 'b', 'c']) add(text)
  t.strictSame([texts(queue.take(2, 100)), texts(queue.take(2, 100)), queue.size], [['a', 'b'], ['c'], 0])
})

test('gives out no more bytes than asked for, but at least one message', async (t) => {
  const { queue, add } = setUp()
  for (const text of ['aaaaa', 'b', 'c', 'd']) add(text)
  t.strictSame([texts(queue.take(9, 2)), texts(queue.take(9, 2))], [['aaaaa'], ['b', 'c']])
})

test('puts back what was taken, before the rest', async (t) => {
  const { queue, add } = setUp()
  for (const text of ['a', 'b', 'c']) add(text)
  queue.putBack(queue.take(2, 100), undefined)
  t.strictSame(texts(queue.take(9, 100)), ['a', 'b', 'c'])
})

test('gives up what has become too old, and says why it had to wait', async (t) => {
  const { time, queue, ends, add } = setUp()
  add('a')
  time.advance(1)
  add('b')
  time.advance(AGE_MS - 2)
  await undefined
  t.equal(queue.size, 2)
  time.advance(1)
  await undefined
  t.strictSame([ends, queue.size], [[`a: ${TOO_OLD}`], 1])
  time.advance(1)
  await undefined
  t.strictSame([ends.length, queue.size, time.pendingCount], [2, 0, 0])

  const failure = new Error('OOM')
  const given = queue.add(Buffer.from('c'))
  queue.putBack(queue.take(1, 1), failure)
  time.advance(AGE_MS)
  await t.rejects(given, { message: TOO_OLD, cause: failure })
})

test('gives up what is too old when it is put back', async (t) => {
  const { time, queue, ends, add } = setUp()
  add('a')
  const taken = queue.take(1, 100)
  time.advance(AGE_MS)
  add('b')
  queue.putBack(taken, undefined)
  await undefined
  t.strictSame([ends, queue.size], [[`a: ${TOO_OLD}`], 1])
})

test('gives up the oldest when there are too many bytes', async (t) => {
  const { queue, ends, add } = setUp()
  add('a')
  add('b'.repeat(60))
  add('c'.repeat(40))
  await undefined
  t.strictSame([ends, queue.size], [[`a: ${TOO_MUCH}`], 2])
  queue.putBack(queue.take(1, 1), undefined)
  await undefined
  t.equal(queue.size, 2)
})

test('gives up a message that is too large by itself', async (t) => {
  const { queue, add } = setUp()
  add('a')
  const large = queue.add(Buffer.alloc(101))
  await t.rejects(large, { message: TOO_MUCH })
  t.equal(queue.size, 0)
})

test('gives up all when it is cleared', async (t) => {
  const { time, queue, ends, add } = setUp()
  for (const text of ['a', 'b']) add(text)
  queue.clear(new Error('closed'))
  await undefined
  t.strictSame([ends, queue.size, time.pendingCount], [['a: closed', 'b: closed'], 0, 0])
})

test('gives out very many in order', async (t) => {
  const { queue, add } = setUp(1_000_000)
  const numbers = Array.from({ length: 5000 }, (_, index) => String(index))
  numbers.forEach(add)
  const taken: string[] = []
  while (queue.size > 0) taken.push(...texts(queue.take(7, 1_000_000)))
  t.strictSame(taken, numbers)
})
