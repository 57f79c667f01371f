import { test } from 'tap'
import { createWriter } from '../../../../src/cluster/redis/stream-writer.js'
import { createFakeTime } from '../../../helpers/fakes/fake-time.js'

const AGE_MS = 10_000

/** Attempts are kept until the test answers them. */
function setUp () {
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

test('sends at once, and what comes meanwhile together after that', async (t) => {
  const { ends, write, answer } = setUp()
  for (const text of ['a', 'b', 'c']) write(text)
  t.strictSame(await answer(), ['a'])
  t.strictSame(await answer(), ['b', 'c'])
  t.strictSame(ends, ['a stored', 'b stored', 'c stored'])
})

test('sends 256 messages or a mebibyte at a time', async (t) => {
  const { write, answer } = setUp()
  write('first')
  for (let count = 0; count < 300; count++) write('a')
  write('b'.repeat(1_048_576))
  write('c')
  const sizes: number[] = []
  for (let round = 0; round < 5; round++) sizes.push((await answer()).length)
  t.strictSame(sizes, [1, 256, 44, 1, 1])
})

test('waits while there is no connection, and sends when it comes', async (t) => {
  const { ends, state, writer, write, answer } = setUp()
  state.isReady = false
  for (const text of ['a', 'b']) write(text)
  t.strictSame(await answer(), [])
  state.isReady = true
  writer.reconnected()
  t.strictSame(await answer(), ['a', 'b'])
  t.strictSame(ends, ['a stored', 'b stored'])
})

test('sends again, in order, what has failed, after pauses that grow', async (t) => {
  const { time, errors, ends, write, answer } = setUp()
  write('a')
  write('b')
  await answer(OOM)
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

test('is patient no longer than the first time once something has worked', async (t) => {
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

test('does not wait for the end of a pause when the connection is new', async (t) => {
  const { time, writer, write, answer } = setUp()
  write('a')
  await answer(OOM)
  writer.reconnected()
  t.strictSame(await answer(), ['a'])
  time.advance(AGE_MS)
  t.strictSame(await answer(), [])
})

test('holds what comes during a pause', async (t) => {
  const { time, write, answer } = setUp()
  write('a')
  await answer(OOM)
  write('b')
  t.strictSame(await answer(), [])
  time.advance(50)
  t.strictSame(await answer(), ['a', 'b'])
})

test('gives up what a later message has overtaken, and repeats what none has', async (t) => {
  const { time, errors, ends, write, answer } = setUp()
  for (const text of ['first', 'a', 'b', 'c', 'd']) write(text)
  await answer()
  await answer(OOM, undefined, OOM, OOM)
  t.strictSame(ends, ['first stored', `a: ${OOM.message}`, 'b stored'])
  t.strictSame(errors, [OOM])
  time.advance(50)
  t.strictSame(await answer(), ['c', 'd'])
})

test('gives up what was answered well but too early: no later one is held up by it', async (t) => {
  const { ends, write, answer } = setUp()
  for (const text of ['first', 'a', 'b']) write(text)
  await answer()
  await answer(OOM, undefined)
  write('c')
  t.strictSame(await answer(), ['c'])
  t.strictSame(ends, ['first stored', `a: ${OOM.message}`, 'b stored', 'c stored'])
})

test('gives up what is never answered, and goes on', async (t) => {
  const { time, attempts, errors, ends, write, answer } = setUp()
  write('a')
  time.advance(AGE_MS - 1000)
  write('b')
  t.equal(ends.length, 0)
  time.advance(1000)
  await settle()
  t.strictSame(ends, ['a: Redis has not answered within 10000 ms'])
  t.equal(errors.length, 1)
  attempts.shift()?.resolve()
  await settle()
  time.advance(50)
  t.strictSame(await answer(), ['b'])
  t.strictSame(ends.slice(1), ['b stored'])
})

test('sends nothing behind what is never answered, which would pile up in the client', async (t) => {
  const { time, attempts, ends, write, answer } = setUp()
  write('a')
  for (let count = 1; count <= 5; count++) {
    write('x')
    time.advance(AGE_MS)
    await settle()
  }
  t.strictSame([attempts.length, ends.length], [1, 6])
  write('b')
  t.strictSame(await answer(), ['a'])
  t.strictSame(await answer(), ['b'])
  t.equal(ends.at(-1), 'b stored')
})

test('goes on over a new connection, though the one before owes an answer for ever', async (t) => {
  for (const isBefore of [true, false]) {
    const { time, attempts, ends, writer, write, answer } = setUp()
    write('a')
    if (isBefore) writer.reconnected()
    time.advance(AGE_MS)
    await settle()
    if (!isBefore) writer.reconnected()
    attempts.splice(0)
    write('b')
    time.advance(50)
    t.strictSame(await answer(), ['b'])
    t.strictSame(ends, ['a: Redis has not answered within 10000 ms', 'b stored'])
  }
})

test('hears of an answer that comes after all, over a connection that has been replaced', async (t) => {
  const { time, attempts, writer, write, answer } = setUp()
  write('a')
  time.advance(AGE_MS)
  await settle()
  writer.reconnected()
  const late = attempts.splice(0)
  write('b')
  time.advance(AGE_MS)
  await settle()
  late[0]?.resolve()
  await settle()
  write('c')
  t.strictSame(await answer(), ['b'])
  t.strictSame(await answer(), ['c'])
})

test('survives a client that throws rather than rejects', async (t) => {
  const time = createFakeTime({ wallMs: 0 })
  let attemptCount = 0
  const writer = createWriter({
    append () {
      if (attemptCount++ === 0) throw OOM
      return Promise.resolve()
    },
    isReady: () => true,
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

test('gives up everything when it is closed, and takes nothing more', async (t) => {
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

test('leaves no pause behind when it is closed', async (t) => {
  const { time, writer, write, answer } = setUp()
  write('a')
  await answer(OOM)
  writer.close()
  t.equal(time.pendingCount, 0)
})
