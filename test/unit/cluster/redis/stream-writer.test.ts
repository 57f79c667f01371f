import { test } from 'tap'
import { createWriter } from '../../../../src/cluster/redis/stream-writer.js'
import { createFakeTime } from '../../../helpers/fakes/fake-time.js'

const AGE_MS = 10_000

/** Attempts are kept until the test answers them. */
function setUp ({ maxInFlight = 256 } = {}) {
  const time = createFakeTime({ wallMs: 0 })
  const attempts: { text: string, resolve (): void, reject (err: unknown): void }[] = []
  const errors: unknown[] = []
  const ends: string[] = []
  const state = { isReady: true }
  const writer = createWriter({
    append: (payload) => new Promise<void>((resolve, reject) => {
      attempts.push({ text: String(payload), resolve, reject })
    }),
    isReady: () => state.isReady,
    maxInFlight: () => maxInFlight,
    onError: (err) => errors.push(err),
    maxQueueAge: AGE_MS,
    maxQueueBytes: 10_000_000,
    timers: time.timers
  })
  function write (text: string): void {
    writer.write(Buffer.from(text)).then(
      () => ends.push(`${text} stored`), (err) => ends.push(`${text}: ${err.message}`)
    )
  }
  /** Answers the attempts under way: with what is given, or well. @returns which they were. */
  async function answer (...errs: (Error | undefined)[]): Promise<string[]> {
    const answered = attempts.splice(0)
    for (const [index, { resolve, reject }] of answered.entries()) {
      const err = errs[index]
      if (err === undefined) resolve()
      else reject(err)
    }
    await settle()
    return answered.map(({ text }) => text)
  }
  return { time, attempts, errors, ends, state, writer, write, answer }
}

async function settle (): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

const OOM = new Error('OOM command not allowed')

test('sends at once, without waiting for an answer', async (t) => {
  const { ends, write, answer } = setUp()
  for (const text of ['a', 'b', 'c']) write(text)
  t.strictSame(await answer(), ['a', 'b', 'c'])
  t.strictSame(ends, ['a stored', 'b stored', 'c stored'])
})

test('sends at most maxInFlight unanswered payloads, and the next one with each answer', async (t) => {
  const { attempts, write, answer } = setUp({ maxInFlight: 2 })
  for (const text of ['a', 'b', 'c', 'd']) write(text)
  attempts.shift()?.resolve()
  await settle()
  t.strictSame(attempts.map(({ text }) => text), ['b', 'c'])
  t.strictSame([await answer(), await answer()], [['b', 'c'], ['d']])
})

test('keeps at most one mebibyte unanswered, but always at least one payload', async (t) => {
  const { write, answer } = setUp()
  for (const text of ['a', 'b'.repeat(1_048_576), 'c', 'd']) write(text)
  const sizes = [(await answer()).length, (await answer()).length]
  t.strictSame(sizes, [2, 2])
})

test('confirms payloads in the order in which they were sent', async (t) => {
  const { attempts, ends, write, answer } = setUp()
  for (const text of ['a', 'b']) write(text)
  attempts.pop()?.resolve()
  await settle()
  t.strictSame(ends, [])
  await answer()
  t.strictSame(ends, ['a stored', 'b stored'])
})

test('sends nothing after a failure until everything is answered', async (t) => {
  const { time, attempts, write, answer } = setUp()
  for (const text of ['a', 'b']) write(text)
  attempts.shift()?.reject(OOM)
  await settle()
  write('c')
  time.advance(1000)
  t.strictSame(await answer(OOM), ['b'])
  time.advance(50)
  t.strictSame(await answer(), ['a', 'b', 'c'])
})

test('waits while there is no connection, and sends when there is one', async (t) => {
  const { ends, state, writer, write, answer } = setUp()
  state.isReady = false
  for (const text of ['a', 'b']) write(text)
  t.strictSame(await answer(), [])
  state.isReady = true
  writer.connected()
  t.strictSame(await answer(), ['a', 'b'])
  t.strictSame(ends, ['a stored', 'b stored'])
})

test('sends failed payloads again, in order, after growing pauses', async (t) => {
  const { time, errors, ends, write, answer } = setUp()
  write('a')
  write('b')
  await answer(OOM, OOM)
  const pauses: number[] = []
  for (let round = 0; round < 7; round++) {
    let pauseMs = 0
    for (; (await answer(OOM, OOM)).length === 0; pauseMs += 10) time.advance(10)
    pauses.push(pauseMs)
  }
  t.strictSame(pauses, [50, 100, 200, 400, 800, 1000, 1000])
  t.equal(errors.length, 8)
  time.advance(1000)
  t.strictSame(await answer(), ['a', 'b'])
  t.strictSame(ends, ['a stored', 'b stored'])
})

test('resets the pause after a success', async (t) => {
  const { time, write, answer } = setUp()
  write('a')
  await answer(OOM)
  time.advance(50)
  await answer()
  write('b')
  await answer(OOM)
  time.advance(50)
  t.strictSame(await answer(), ['b'])
})

test('ends the pause when there is a new connection', async (t) => {
  const { time, writer, write, answer } = setUp()
  write('a')
  await answer(OOM)
  writer.connected()
  t.strictSame(await answer(), ['a'])
  time.advance(AGE_MS)
  t.strictSame(await answer(), [])
})

test('queues payloads during a pause', async (t) => {
  const { time, write, answer } = setUp()
  write('a')
  await answer(OOM)
  write('b')
  t.strictSame(await answer(), [])
  time.advance(50)
  t.strictSame(await answer(), ['a', 'b'])
})

test('drops a failed payload if a later one was stored, and repeats it otherwise', async (t) => {
  const { time, errors, ends, write, answer } = setUp()
  for (const text of ['a', 'b', 'c', 'd']) write(text)
  await answer(OOM, undefined, OOM, OOM)
  t.strictSame(ends, [`a: ${OOM.message}`, 'b stored'])
  t.strictSame(errors, [OOM])
  time.advance(50)
  t.strictSame(await answer(), ['c', 'd'])
})

test('repeats only what was sent after the last payload that was stored', async (t) => {
  const { time, ends, write, answer } = setUp()
  for (const text of ['a', 'b', 'c', 'd', 'e']) write(text)
  await answer(OOM, undefined, OOM, undefined, OOM)
  t.strictSame(ends, [`a: ${OOM.message}`, 'b stored', `c: ${OOM.message}`, 'd stored'])
  time.advance(50)
  t.strictSame(await answer(), ['e'])
})

test('repeats nothing if the last payload sent was stored', async (t) => {
  const { time, ends, write, answer } = setUp()
  for (const text of ['a', 'b']) write(text)
  await answer(OOM, undefined)
  write('c')
  time.advance(50)
  t.strictSame(await answer(), ['c'])
  t.strictSame(ends, [`a: ${OOM.message}`, 'b stored', 'c stored'])
})

test('survives a client that throws instead of rejecting', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  let attemptCount = 0
  const writer = createWriter({
    append () {
      if (attemptCount++ === 0) throw OOM
      return Promise.resolve()
    },
    isReady: () => true,
    maxInFlight: () => 1,
    onError () {},
    maxQueueAge: AGE_MS,
    maxQueueBytes: 1000,
    timers: time.timers
  })
  const written = writer.write(Buffer.from('a'))
  await settle()
  time.advance(50)
  await written
  t.equal(attemptCount, 2)
})

test('drops all payloads when it is closed, and accepts no more', async (t) => {
  const { time, ends, writer, write, answer } = setUp()
  for (const text of ['a', 'b']) write(text)
  writer.close()
  await answer(OOM)
  write('c')
  await settle()
  const closed = 'the backplane has been closed'
  t.strictSame(ends, [`a: ${closed}`, `b: ${closed}`, `c: ${closed}`])
  time.advance(2 * AGE_MS)
  t.strictSame([await answer(), time.pendingCount], [[], 0])
})

test('leaves no timer behind when it is closed during a pause', async (t) => {
  const { time, writer, write, answer } = setUp()
  write('a')
  await answer(OOM)
  writer.close()
  t.equal(time.pendingCount, 0)
})
